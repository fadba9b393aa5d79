/** What `async-mutex` doesn't do, or does otherwise. */
import { inspect } from 'node:util'
import { marshal, modelOf, unmarshal } from '@flatshare/core'
import { E_CANCELED, E_TIMEOUT, Mutex, Semaphore, tryAcquire, withTimeout } from '@flatshare/sync/async-mutex'
import { describe, expect, test, vi } from 'vitest'
import { Events } from './events.js'

describe('our async-mutex', () => {
  test('S8 crosses as itself, the same object each time', () => {
    for (const lock of [new Mutex(), new Semaphore(3)]) {
      expect(modelOf(lock)).toBe('free')
      expect(unmarshal(marshal(lock)[0])).toBe(lock)
      const [table] = marshal({ deep: [lock] }, { table: true })
      expect(unmarshal<{ deep: unknown[] }>(structuredClone(table)).deep[0]).toBe(lock)
    }
  })

  test('shows its state, and who holds it', async () => {
    const mutex = new Mutex()
    expect(inspect(mutex)).toBe('Mutex (free)')
    const release = await mutex.acquire()
    expect(inspect(mutex)).toBe('Mutex (held by "main")')
    release()
    const semaphore = new Semaphore(3)
    expect(inspect(semaphore)).toBe('Semaphore (3)')
    await semaphore.acquire(2)
    expect(inspect(semaphore)).toBe('Semaphore (1, held by "main")')
    semaphore.release(2)
    semaphore.setValue(0)
    expect(inspect(semaphore)).toBe('Semaphore (0)')
  })

  test('waitForUnlock is told where the value is not its weight and a whole number more', async () => {
    const semaphore = new Semaphore(0)
    const events = new Events()
    events.watch('one', semaphore.waitForUnlock(1))
    events.watch('half', semaphore.waitForUnlock(0.5))
    events.watch('two', semaphore.waitForUnlock(2))
    semaphore.release(0.25)
    await events.run()
    expect(events.take()).toEqual([])
    semaphore.release(1)
    await events.run()
    expect(events.take()).toEqual(['one', 'half'])
  })

  test('a timeout that is longer than any timer is for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const mutex = new Mutex()
      const release = await mutex.acquire()
      const waiting = [Infinity, 2 ** 31].map((timeout) => withTimeout(mutex, timeout).acquire())
      vi.advanceTimersByTime(1e6)
      release()
      for (const promise of waiting) (await promise)()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('waitForUnlock of a lock that is wrapped twice rejects with the first error', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const mutex = new Mutex()
      await mutex.acquire()
      const waiting = expect(withTimeout(withTimeout(mutex, 100), 200, E_CANCELED).waitForUnlock()).rejects.toBe(
        E_TIMEOUT,
      )
      vi.advanceTimersByTime(100)
      await waiting
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('a thousand waiters are served in order', async () => {
    const semaphore = new Semaphore(0)
    const order: number[] = []
    const waiting = Array.from({ length: 1000 }, (_, i) =>
      semaphore.acquire(1, -(i % 3)).then(([, release]) => {
        order.push(i)
        release()
      }),
    )
    semaphore.release()
    await Promise.all(waiting)
    expect(order).toEqual([...order].sort((a, b) => (a % 3) - (b % 3) || a - b))
    expect(semaphore.getValue()).toBe(1)
    await expect(tryAcquire(semaphore).runExclusive((value) => value)).resolves.toBe(1)
  })
})
