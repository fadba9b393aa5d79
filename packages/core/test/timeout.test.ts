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

  it('calls back when it is reached', () => {
    const callback = vi.fn()
    startDeadline(1020, callback)
    pass(19)
    expect(callback).not.toHaveBeenCalled()
    pass(1)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  it('waits for the rest where the timer fires before the clock is there', () => {
    const callback = vi.fn()
    startDeadline(1020, callback)
    pass(20, 19)
    expect(callback).not.toHaveBeenCalled()
    pass(1)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  it('waits where the timer fires within the millisecond in which it was set', () => {
    const callback = vi.fn()
    startDeadline(1003, callback)
    pass(3, 0)
    expect(callback).not.toHaveBeenCalled()
    pass(3)
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
