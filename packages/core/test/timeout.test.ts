import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDeadline } from '../src/timeout.js'

describe('a deadline', () => {
  let now = 0
  beforeEach(() => {
    now = 1000
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    vi.spyOn(Date, 'now').mockImplementation(() => now)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  const pass = (milliseconds: number, ofWhichTheClockSees = milliseconds) => {
    now += ofWhichTheClockSees
    vi.advanceTimersByTime(milliseconds)
  }

  it.each([
    ['calls back when it is reached', 1020, 19, 19, 1],
    ['waits for the rest where the timer fires before the clock is there', 1020, 20, 19, 1],
    ['waits where the timer fires within the millisecond in which it was set', 1003, 3, 0, 3],
  ])('%s', (_, deadline, milliseconds, ofWhichTheClockSees, rest) => {
    const callback = vi.fn()
    startDeadline(deadline, callback)
    pass(milliseconds, ofWhichTheClockSees)
    expect(callback).not.toHaveBeenCalled()
    pass(rest)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  it('does not wait for a clock that was set back', () => {
    const callback = vi.fn()
    startDeadline(1020, callback)
    pass(20, -500)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  it('in the past calls back with the next timers', () => {
    const callback = vi.fn()
    startDeadline(900, callback)
    expect(callback).not.toHaveBeenCalled()
    pass(1)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  it('is stopped while it waits, and while it waits for the rest', () => {
    const callback = vi.fn()
    startDeadline(1020, callback)()
    const stop = startDeadline(1020, callback)
    pass(20, 18)
    stop()
    pass(100)
    expect(callback).not.toHaveBeenCalled()
  })
})
