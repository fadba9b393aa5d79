/** `withTimeout` and `tryAcquire`: when they give up, with what, and what becomes of what comes too late. */
import type { MutexInterface, SemaphoreInterface } from 'async-mutex'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Events, Gate, turns } from './events.js'
import type { Library } from './library.js'

/** Both shapes, so that a test can be written once: a holder that takes all, and what is asked of it. */
interface Kind {
  make(cancelError?: Error): MutexInterface | SemaphoreInterface
}

export function timeoutsContract(library: Library): void {
  const { Mutex, Semaphore, withTimeout, tryAcquire, E_TIMEOUT, E_ALREADY_LOCKED, E_CANCELED } = library
  const kinds: Record<string, Kind> = {
    Mutex: { make: (cancelError) => new Mutex(cancelError) },
    'Semaphore(1)': { make: (cancelError) => new Semaphore(1, cancelError) },
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  for (const [kind, { make }] of Object.entries(kinds)) {
    describe(`withTimeout(${kind})`, () => {
      const wrap = (lock: MutexInterface | SemaphoreInterface, timeout: number, error?: Error) =>
        withTimeout(lock as MutexInterface, timeout, error)

      test('acquire rejects with E_TIMEOUT after the timeout, not before', async () => {
        const lock = make()
        await lock.acquire()
        const events = new Events()
        events.watch('late', wrap(lock, 100).acquire())
        vi.advanceTimersByTime(99)
        await events.run()
        expect(events.take()).toEqual([])
        vi.advanceTimersByTime(1)
        await events.run()
        expect(events.take()).toEqual([`late! ${E_TIMEOUT.message}`])
      })

      test('rejects with the error that it was given', async () => {
        const error = new TypeError('mine')
        const lock = make()
        await lock.acquire()
        const patient = wrap(lock, 100, error)
        const outcomes = [patient.acquire(), patient.runExclusive(() => 'never'), patient.waitForUnlock()].map((late) =>
          expect(late).rejects.toBe(error),
        )
        vi.advanceTimersByTime(100)
        await Promise.all(outcomes)
      })

      test('what comes in time comes as from the lock itself, and its timer is gone', async () => {
        const lock = make()
        const patient = wrap(lock, 100)
        const ticket = await patient.acquire()
        expect(vi.getTimerCount()).toBe(0)
        expect(lock.isLocked()).toBe(true)
        const release = releaserOf(ticket)
        const waiting = patient.acquire()
        vi.advanceTimersByTime(99)
        release()
        const next = releaserOf(await waiting)
        expect(vi.getTimerCount()).toBe(0)
        vi.advanceTimersByTime(1000)
        expect(lock.isLocked()).toBe(true)
        next()
        expect(lock.isLocked()).toBe(false)
      })

      test('what comes too late is released by itself, and the next one is served', async () => {
        const lock = make()
        const release = releaserOf(await lock.acquire())
        const patient = wrap(lock, 100)
        const late = patient.acquire()
        const refused = expect(late).rejects.toBe(E_TIMEOUT)
        vi.advanceTimersByTime(100)
        await refused
        const next = lock.acquire()
        release()
        expect(lock.isLocked()).toBe(true)
        releaserOf(await next)()
        expect(lock.isLocked()).toBe(false)
      })

      test('who has timed out keeps his place in the queue until it is his turn', async () => {
        const lock = make()
        const release = releaserOf(await lock.acquire())
        const refused = expect(wrap(lock, 1).acquire()).rejects.toBe(E_TIMEOUT)
        vi.advanceTimersByTime(1)
        await refused
        release()
        // Taken for one who has gone; given back when that is seen.
        expect(lock.isLocked()).toBe(true)
        await turns()
        expect(lock.isLocked()).toBe(false)
      })

      test('runExclusive that times out never runs its callback, and leaves nothing locked', async () => {
        const lock = make()
        const release = releaserOf(await lock.acquire())
        let ran = false
        const refused = expect(
          wrap(lock, 100).runExclusive(() => {
            ran = true
          }),
        ).rejects.toBe(E_TIMEOUT)
        vi.advanceTimersByTime(100)
        await refused
        release()
        await turns()
        expect(ran).toBe(false)
        expect(lock.isLocked()).toBe(false)
      })

      test('the timeout of runExclusive is for the lock, not for the callback', async () => {
        const gate = new Gate<string>()
        const running = wrap(make(), 100).runExclusive(() => gate.passed)
        await turns()
        expect(vi.getTimerCount()).toBe(0)
        vi.advanceTimersByTime(1000)
        gate.open('done')
        expect(await running).toBe('done')
      })

      test('waitForUnlock rejects after the timeout, and is not told any more', async () => {
        const lock = make()
        const events = new Events()
        await lock.acquire()
        const patient = wrap(lock, 100)
        events.watch('in time', lock.waitForUnlock())
        events.watch('late', patient.waitForUnlock())
        vi.advanceTimersByTime(100)
        await events.run()
        expect(events.take()).toEqual([`late! ${E_TIMEOUT.message}`])
        lock.release()
        await events.run()
        expect(events.take()).toEqual(['in time'])
      })

      test('waitForUnlock in time leaves no timer', async () => {
        const lock = make()
        const patient = wrap(lock, 100)
        expect(await patient.waitForUnlock()).toBeUndefined()
        expect(vi.getTimerCount()).toBe(0)
        await lock.acquire()
        const waiting = patient.waitForUnlock()
        lock.release()
        await waiting
        expect(vi.getTimerCount()).toBe(0)
      })

      test('cancel rejects with the error of the lock, and leaves no timer', async () => {
        const error = new Error('closing')
        for (const [lock, expected] of [
          [make(), E_CANCELED],
          [make(error), error],
        ] as const) {
          const patient = wrap(lock, 100)
          await patient.acquire()
          const waiting = [patient.acquire(), patient.runExclusive(() => 'never')]
          patient.cancel()
          for (const promise of waiting) await expect(promise).rejects.toBe(expected)
          expect(vi.getTimerCount()).toBe(0)
        }
      })

      test('after a timeout, cancel has nobody to tell', async () => {
        const lock = make()
        await lock.acquire()
        const refused = expect(wrap(lock, 100).acquire()).rejects.toBe(E_TIMEOUT)
        vi.advanceTimersByTime(100)
        await refused
        lock.cancel()
        await turns()
        lock.release()
        expect(lock.isLocked()).toBe(false)
      })

      test('the wrapped lock and the lock are one', async () => {
        const lock = make()
        const patient = wrap(lock, 100)
        expect(patient.isLocked()).toBe(false)
        await lock.acquire()
        expect(patient.isLocked()).toBe(true)
        patient.release()
        expect(lock.isLocked()).toBe(false)
      })

      test('wraps what is wrapped: the shorter timeout wins', async () => {
        const lock = make()
        const error = new Error('outer')
        await lock.acquire()
        for (const [outer, expected] of [
          [50, error],
          [200, E_TIMEOUT],
        ] as const) {
          const refused = expect(wrap(wrap(lock, 100), outer, error).acquire()).rejects.toBe(expected)
          vi.advanceTimersByTime(100)
          await refused
        }
      })

      test('acquire, waitForUnlock and isLocked need no receiver', async () => {
        const { acquire, waitForUnlock, isLocked } = wrap(make(), 100)
        await waitForUnlock()
        await acquire()
        expect(isLocked()).toBe(true)
      })

      test('passes on priorities', async () => {
        const lock = make()
        const patient = wrap(lock, 100)
        await lock.acquire()
        const events = new Events()
        const [low, high] =
          'getValue' in lock
            ? [
                [1, -1],
                [1, 1],
              ]
            : [[-1], [1]]
        const ask = (name: string, priority: readonly number[]) => {
          events.watch(`acquire ${name}`, Reflect.apply(patient.acquire, patient, priority))
          events.watch(`run ${name}`, Reflect.apply(patient.runExclusive, patient, [() => {}, ...priority]))
          events.watch(`wait ${name}`, Reflect.apply(patient.waitForUnlock, patient, priority))
        }
        ask('low', low!)
        ask('high', high!)
        lock.release()
        await events.run()
        expect(events.take()).toEqual(['acquire high'])
        lock.release()
        await events.run()
        expect(events.take().sort()).toEqual(['acquire low', 'run high', 'wait high'])
      })

      test.each([0, -5])('a timeout of %s ms is enough for a lock that is free', async (timeout) => {
        const lock = make()
        const patient = wrap(lock, timeout)
        const release = releaserOf(await patient.acquire())
        const refused = expect(patient.acquire()).rejects.toBe(E_TIMEOUT)
        vi.advanceTimersByTime(1)
        await refused
        release()
      })
    })

    describe(`tryAcquire(${kind})`, () => {
      test('locks what is free', async () => {
        const lock = make()
        const eager = tryAcquire(lock as MutexInterface)
        expect(await eager.runExclusive(() => 'ran')).toBe('ran')
        const release = releaserOf(await eager.acquire())
        expect(lock.isLocked()).toBe(true)
        release()
        expect(lock.isLocked()).toBe(false)
      })

      test('rejects with E_ALREADY_LOCKED, or the error that it was given', async () => {
        const lock = make()
        const error = new Error('mine')
        await lock.acquire()
        for (const [eager, expected] of [
          [tryAcquire(lock as MutexInterface), E_ALREADY_LOCKED],
          [tryAcquire(lock as MutexInterface, error), error],
        ] as const) {
          const refused = [eager.acquire(), eager.runExclusive(() => 'never'), eager.waitForUnlock()].map((promise) =>
            expect(promise).rejects.toBe(expected),
          )
          vi.advanceTimersByTime(0)
          await Promise.all(refused)
        }
      })

      test('gets what becomes free before the event loop turns', async () => {
        const lock = make()
        await lock.acquire()
        const waiting = tryAcquire(lock as MutexInterface).acquire()
        lock.release()
        releaserOf(await waiting)()
        expect(vi.getTimerCount()).toBe(0)
        expect(lock.isLocked()).toBe(false)
      })
    })
  }

  describe('withTimeout(Semaphore)', () => {
    test('a late ticket gives all its weight back', async () => {
      const semaphore = new Semaphore(3)
      const [, release] = await semaphore.acquire(2)
      const refused = expect(withTimeout(semaphore, 100).acquire(3)).rejects.toBe(E_TIMEOUT)
      vi.advanceTimersByTime(100)
      await refused
      release()
      expect(semaphore.getValue()).toBe(0)
      await turns()
      expect(semaphore.getValue()).toBe(3)
    })

    test('reads and sets the value of the semaphore', async () => {
      const semaphore = new Semaphore(1)
      const patient = withTimeout(semaphore, 100)
      expect(patient.getValue()).toBe(1)
      const waiting = patient.acquire(5)
      patient.setValue(7)
      expect((await waiting)[0]).toBe(7)
      expect(semaphore.getValue()).toBe(2)
      patient.release(3)
      expect(semaphore.getValue()).toBe(5)
    })

    test('runExclusive passes the value on', async () => {
      expect(await withTimeout(new Semaphore(4), 100).runExclusive((value) => value, 2)).toBe(4)
      expect(await tryAcquire(new Semaphore(4)).runExclusive((value) => value, 2)).toBe(4)
    })
  })

  test('any lock of that shape can be wrapped', async () => {
    const calls: unknown[][] = []
    const foreign: MutexInterface = {
      async acquire(...args) {
        calls.push(['acquire', ...args])
        return () => calls.push(['releaser'])
      },
      runExclusive: () => Promise.reject(new Error('not asked')),
      async waitForUnlock(...args) {
        calls.push(['waitForUnlock', ...args])
      },
      isLocked: () => true,
      release: (...args: unknown[]) => calls.push(['release', ...args]),
      cancel: () => calls.push(['cancel']),
    }
    const patient = withTimeout(foreign, 100)
    expect(await patient.runExclusive(() => 'ran', 3)).toBe('ran')
    await patient.waitForUnlock(4)
    patient.cancel()
    expect(patient.isLocked()).toBe(true)
    expect(calls).toEqual([['acquire', 3], ['releaser'], ['waitForUnlock', 4], ['cancel']])
    const broken = { ...foreign, acquire: () => Promise.reject(new Error('broken')) }
    await expect(withTimeout(broken, 100).acquire()).rejects.toThrow('broken')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('the errors are of their own, and say what happened', () => {
    const errors = [E_TIMEOUT, E_ALREADY_LOCKED, E_CANCELED]
    expect(errors.map((error) => `${error}`)).toEqual([
      'Error: timeout while waiting for mutex to become available',
      'Error: mutex already locked',
      'Error: request for lock canceled',
    ])
    for (const error of errors) {
      expect(Object.getPrototypeOf(error)).toBe(Error.prototype)
      expect(error.name).toBe('Error')
    }
  })
}

function releaserOf(ticket: unknown): () => void {
  return Array.isArray(ticket) ? ticket[1] : (ticket as () => void)
}
