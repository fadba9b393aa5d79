import { Progress } from '@flatshare/progress'
import { describe, expect, it } from 'vitest'
import { run, startThread } from './start-thread.js'

describe('S37 cancel', () => {
  it('from another thread is what every report at every depth then answers', async () => {
    const progress = new Progress({ total: 1e9 })
    const child = progress.child({ items: 1e8 })
    const grandchild = child.child({ share: 0.5 })
    const threads = [progress, child, grandchild].map((part) => startThread(part, { do: 'advance until cancelled' }))
    for (const thread of threads) expect(await thread.next()).toBe('started')
    await run(progress, { do: 'cancel' })
    for (const thread of threads) {
      expect(await thread.next()).toMatchObject({ cancelled: true, advance: false, report: false })
    }
    for (const part of [progress, child, grandchild]) {
      expect([part.cancelled, part.advance(), part.report(2, 1, 5)]).toEqual([true, false, false])
    }
    expect(progress.value).toBeLessThan(1000)
  })

  it('is seen by a busy loop', async () => {
    const progress = new Progress()
    const thread = startThread(progress.child({ share: 0.1 }), { do: 'busy until cancelled' })
    expect(await thread.next()).toBe('started')
    progress.cancel()
    expect(await thread.next()).toBeGreaterThanOrEqual(0)
  })

  it('S37 of a part cancels the whole, from anywhere: its parent, its sisters, on every thread', async () => {
    const progress = new Progress({ total: 1e9 })
    const [a, b] = [progress.child({ items: 5e8 }), progress.child({ items: 5e8 })]
    const deep = a.child({ share: 0.5 }).child({ share: 0.5 })
    const { signal } = progress
    const threads = [progress, b].map((part) => startThread(part, { do: 'advance until cancelled' }))
    for (const thread of threads) expect(await thread.next()).toBe('started')
    await run(deep, { do: 'cancel', reason: 'disk full' })
    for (const thread of threads) expect(await thread.next()).toMatchObject({ cancelled: true, advance: false })
    expect([progress, a, b, deep].map((each) => [each.cancelled, each.advance(), each.report(3)])).toEqual(
      Array(4).fill([true, false, false]),
    )
    expect([signal.aborted, signal.reason]).toEqual([
      true,
      expect.objectContaining({ message: 'disk full', disk: 'C' }),
    ])
    // What was done stays, as the partial result that it is.
    expect(progress.count).toBeGreaterThan(0)
    expect(progress.value).toBeLessThan(1000)
  })

  it('S37 of a part that has ended cancels the whole that has not', () => {
    const progress = new Progress({ total: 2 })
    const part = progress.child({ items: 1 })
    part.done()
    part.cancel()
    expect([progress.cancelled, progress.count, part.value]).toEqual([true, 1, part.max])
  })

  it('S37 cancelPart of a child leaves its parent and its sisters alone', () => {
    const progress = new Progress()
    const [a, b] = [progress.child({ share: 0.5 }), progress.child({ share: 0.5 })]
    a.cancelPart()
    expect([a, b, progress].map(({ cancelled }) => cancelled)).toEqual([true, false, false])
    expect(a.child({ share: 1 }).advance()).toBe(false)
    expect(() => a.throwIfCancelled()).toThrow(expect.objectContaining({ name: 'AbortError' }))
    b.done()
    expect(progress.value).toBe(500)
    progress.done()
    expect([progress.value, progress.cancelled]).toEqual([1000, false])
  })

  it('S37 a signal of it and one of something else are one by AbortSignal.any, on another thread too', async () => {
    const progress = new Progress()
    const thread = startThread(progress.child({ share: 0.5 }), { do: 'wait for any signal' })
    expect(await thread.next()).toBe('started')
    progress.cancel(new RangeError('disk full'))
    expect(await thread.next()).toBe('disk full')
  })

  it('after the end does nothing, and the end after a cancel neither', () => {
    const ended = new Progress({ total: 1 })
    ended.advance()
    ended.cancel()
    expect(ended.cancelled).toBe(false)
    const cancelled = new Progress({ total: 2 })
    cancelled.cancel()
    cancelled.advance(2)
    cancelled.done()
    expect([cancelled.count, cancelled.value < 1000]).toEqual([2, true])
  })

  it('aborts the signal on every thread that holds it, with the reason', async () => {
    const progress = new Progress({ label: 'Copying' })
    const threads = [progress, progress.child({ share: 0.5 }), progress.child({ share: 0.5 }).child({ items: 3 })].map(
      (part) => startThread(part, { do: 'wait for signal' }),
    )
    for (const thread of threads) expect(await thread.next()).toBe('started')
    const { signal } = progress
    const heard = new Promise((resolve) => signal.addEventListener('abort', resolve))
    await run(progress, { do: 'cancel', reason: 'disk full' })
    await heard
    expect(signal.reason).toBeInstanceOf(RangeError)
    expect(signal.reason).toMatchObject({ message: 'disk full', disk: 'C' })
    expect(() => progress.throwIfCancelled()).toThrow('disk full')
    for (const thread of threads) {
      expect(await thread.next()).toEqual({ name: 'RangeError', message: 'disk full', disk: 'C', isError: true })
    }
  })

  it('aborts the signals of its own thread at once, children included', () => {
    const progress = new Progress({ label: 'Copying' })
    const child = progress.child({ share: 0.5 })
    const { signal } = child
    expect(signal).toBe(child.signal)
    const any = AbortSignal.any([signal])
    const reason = { any: 'object' }
    progress.cancel(reason)
    expect([signal.aborted, any.aborted, signal.reason === reason, progress.signal.reason === reason]).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(child.child({ share: 0.5 }).signal.aborted).toBe(true)
  })

  it('has an AbortError for a reason unless one is given', () => {
    const progress = new Progress({ label: 'Copying' })
    progress.throwIfCancelled()
    progress.cancel()
    progress.cancel(new Error('too late'))
    expect(() => progress.throwIfCancelled()).toThrow(expect.objectContaining({ name: 'AbortError' }))
    expect(progress.signal.reason).toMatchObject({ name: 'AbortError', message: '"Copying" was cancelled' })
  })
})
