/** What a semaphore must do, plain or wrapped by `withTimeout`; `wait-for-unlock.contract.ts` has the rest. */
import { describe, expect, test } from 'vitest'
import { Events, Gate, thenable } from './events.js'
import type { Library, MakeSemaphore } from './library.js'

const INVALID_WEIGHTS = [0, -0, -1, -0.5, -Infinity]

export function semaphoreContract(name: string, library: Library, make: MakeSemaphore): void {
  describe(name, () => {
    test('has the value that it was made with, and is locked unless that is positive', () => {
      const locked = (value: number) => {
        const semaphore = make(value)
        expect(semaphore.getValue()).toBe(value)
        return semaphore.isLocked()
      }
      expect([2, 1, 0.5, 0, -0, -3].map(locked)).toEqual([false, false, false, true, true, true])
    })

    test('gives the value before it, and takes its weight at once', async () => {
      const semaphore = make(5)
      const one = semaphore.acquire()
      expect(semaphore.getValue()).toBe(4)
      const three = semaphore.acquire(3)
      expect(semaphore.getValue()).toBe(1)
      expect((await one)[0]).toBe(5)
      expect((await three)[0]).toBe(4)
      expect((await one).length).toBe(2)
    })

    test('the releaser gives the weight back, once', async () => {
      const semaphore = make(3)
      const [, release] = await semaphore.acquire(2)
      expect(release()).toBeUndefined()
      expect(semaphore.getValue()).toBe(3)
      release()
      expect(semaphore.getValue()).toBe(3)
    })

    test('the releaser of one never gives back for another', async () => {
      const semaphore = make(2)
      const [, release] = await semaphore.acquire()
      const others = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire()]
      const events = new Events()
      others.forEach((other, i) => {
        events.watch(String(i), other)
      })
      release()
      release()
      await events.run()
      expect(events.take()).toEqual(['0', '1'])
    })

    test('serves in the order of asking; who needs more than there is holds up the rest', async () => {
      const semaphore = make(3)
      const events = new Events()
      for (const [name, weight] of [
        ['a', 2],
        ['heavy', 3],
        ['light', 1],
      ] as const)
        events.watch(name, semaphore.acquire(weight))
      await events.run()
      expect(events.take()).toEqual(['a'])
      semaphore.release(1)
      await events.run()
      expect(events.take()).toEqual([])
      expect(semaphore.getValue()).toBe(2)
      semaphore.release(1)
      expect(semaphore.getValue()).toBe(0)
      await events.run()
      expect(events.take()).toEqual(['heavy'])
      semaphore.release(1)
      await events.run()
      expect(events.take()).toEqual(['light'])
    })

    test('a higher priority overtakes, at once where there is enough for it', async () => {
      const semaphore = make(2)
      const events = new Events()
      events.watch('heavy', semaphore.acquire(3))
      events.watch('equal', semaphore.acquire(1, 0))
      events.watch('lower', semaphore.acquire(1, -1))
      events.watch('higher', semaphore.acquire(1, 1))
      expect(semaphore.getValue()).toBe(1)
      events.watch('higher and heavy', semaphore.acquire(2, 1))
      events.watch('highest', semaphore.acquire(1, 2))
      expect(semaphore.getValue()).toBe(0)
      await events.run()
      expect(events.take()).toEqual(['higher', 'highest'])
      semaphore.setValue(100)
      await events.run()
      expect(events.take()).toEqual(['higher and heavy', 'heavy', 'equal', 'lower'])
    })

    test('a heavier one of higher priority is served before lighter ones', async () => {
      const semaphore = make(2)
      const events = new Events()
      const releases = [await semaphore.acquire(), await semaphore.acquire()].map(([, release]) => release)
      events.watch('light', semaphore.acquire(1, -1))
      events.watch('heavy', semaphore.acquire(2, 1))
      releases[0]!()
      await events.run()
      expect(events.take()).toEqual([])
      releases[1]!()
      await events.run()
      expect(events.take()).toEqual(['heavy'])
    })

    test('serves as many as it can from one release, each told the value before it', async () => {
      const semaphore = make(0)
      const waiting = [semaphore.acquire(1), semaphore.acquire(2), semaphore.acquire(1), semaphore.acquire(1)]
      semaphore.release(4)
      expect(semaphore.getValue()).toBe(0)
      expect(await Promise.all(waiting.slice(0, 3).map(async (ticket) => (await ticket)[0]))).toEqual([4, 3, 1])
    })

    test('release() counts up without limit', () => {
      const semaphore = make(1)
      semaphore.release()
      semaphore.release(10)
      expect(semaphore.getValue()).toBe(12)
    })

    test('a negative value is to be worked off first', async () => {
      const semaphore = make(-2)
      const events = new Events()
      events.watch('served', semaphore.acquire())
      semaphore.release(2)
      await events.run()
      expect(events.take()).toEqual([])
      expect(semaphore.isLocked()).toBe(true)
      semaphore.release(2)
      expect(semaphore.getValue()).toBe(1)
      await events.run()
      expect(events.take()).toEqual(['served'])
    })

    test('fractions are weights and values like others', async () => {
      const semaphore = make(1)
      const [before, release] = await semaphore.acquire(0.75)
      expect(before).toBe(1)
      expect(semaphore.getValue()).toBe(0.25)
      expect(semaphore.isLocked()).toBe(false)
      const [, releaseRest] = await semaphore.acquire(0.25)
      expect(semaphore.isLocked()).toBe(true)
      releaseRest()
      release()
      expect(semaphore.getValue()).toBe(1)
      expect((await semaphore.acquire(0.5))[0]).toBe(1)
      semaphore.release(1000)
      expect(semaphore.getValue()).toBe(1000 + 0.5)
    })

    test('setValue serves all that it is enough for', async () => {
      const semaphore = make(0)
      const events = new Events()
      for (const weight of [1, 2, 4]) events.watch(String(weight), semaphore.acquire(weight))
      expect(semaphore.setValue(3)).toBeUndefined()
      expect(semaphore.getValue()).toBe(0)
      await events.run()
      expect(events.take()).toEqual(['1', '2'])
      semaphore.setValue(3)
      expect(semaphore.getValue()).toBe(3)
      semaphore.setValue(4)
      expect(semaphore.getValue()).toBe(0)
      await events.run()
      expect(events.take()).toEqual(['4'])
    })

    test('setValue may lower the value; releasers still give their own weight back', async () => {
      const semaphore = make(3)
      const [, release] = await semaphore.acquire(2)
      semaphore.setValue(-5)
      expect(semaphore.isLocked()).toBe(true)
      release()
      expect(semaphore.getValue()).toBe(-3)
    })

    test('refuses weights that are not positive at once, by name', () => {
      const semaphore = make(2)
      for (const weight of INVALID_WEIGHTS) {
        const refusal = new Error(`invalid weight ${weight}: must be positive`)
        expect(() => void semaphore.acquire(weight)).toThrow(refusal)
        expect(() => void semaphore.waitForUnlock(weight)).toThrow(refusal)
        expect(() => semaphore.release(weight)).toThrow(refusal)
      }
      expect(semaphore.getValue()).toBe(2)
    })

    test('a weight that is no number waits until it is cancelled, and others behind it', async () => {
      const semaphore = make(2)
      const events = new Events()
      events.watch('nan', semaphore.acquire(Number.NaN))
      events.watch('behind', semaphore.acquire())
      events.watch('higher', semaphore.acquire(1, 1))
      semaphore.release()
      await events.run()
      expect(events.take()).toEqual(['higher'])
      semaphore.cancel()
      await events.run()
      expect(events.take()).toEqual(['nan! request for lock canceled', 'behind! request for lock canceled'])
      expect(semaphore.getValue()).toBe(2)
    })

    test('a weight without end waits until it is cancelled', async () => {
      const semaphore = make(2)
      const waiting = semaphore.acquire(Infinity)
      semaphore.setValue(1e6)
      semaphore.cancel()
      await expect(waiting).rejects.toBe(library.E_CANCELED)
      expect(semaphore.getValue()).toBe(1e6)
    })

    test('a priority that is no number goes first, and the next one before it', async () => {
      const semaphore = make(0)
      const events = new Events()
      for (const [name, priority] of [
        ['a', 5],
        ['nan', Number.NaN],
        ['b', -1],
        ['c', 7],
      ] as const)
        events.watch(name, semaphore.acquire(1, priority))
      for (let i = 0; i < 4; i++) semaphore.release()
      await events.run()
      expect(events.take()).toEqual(['c', 'nan', 'a', 'b'])
    })

    describe('runExclusive', () => {
      test('gives the callback the value before it, and the caller its result', async () => {
        const semaphore = make(5)
        expect(await semaphore.runExclusive((value) => value * 10)).toBe(50)
        expect(await semaphore.runExclusive(async (value) => value, 3)).toBe(5)
        expect(await semaphore.runExclusive(() => thenable('later'))).toBe('later')
        expect(semaphore.getValue()).toBe(5)
      })

      test('takes its weight at once and gives it back after the callback', async () => {
        const semaphore = make(3)
        const gate = new Gate()
        const running = semaphore.runExclusive(() => gate.passed, 2)
        expect(semaphore.getValue()).toBe(1)
        gate.open()
        await running
        expect(semaphore.getValue()).toBe(3)
      })

      test('gives it back when the callback throws or rejects, and passes the error on', async () => {
        const semaphore = make(2)
        const error = new Error('mine')
        const thrown = semaphore.runExclusive(() => {
          throw error
        }, 2)
        await expect(thrown).rejects.toBe(error)
        expect(semaphore.getValue()).toBe(2)
        await expect(semaphore.runExclusive(() => Promise.reject(error), 2)).rejects.toBe(error)
        expect(semaphore.getValue()).toBe(2)
      })

      test('rejects, and doesn’t throw, for weights that are not positive', async () => {
        const semaphore = make(2)
        for (const weight of INVALID_WEIGHTS) {
          const refused = semaphore.runExclusive(() => 'never', weight)
          await expect(refused).rejects.toThrow(new Error(`invalid weight ${weight}: must be positive`))
        }
        expect(semaphore.getValue()).toBe(2)
      })

      test('runs so many at once as there is room for, higher priorities first', async () => {
        const semaphore = make(2)
        const ran: string[] = []
        let inside = 0
        let most = 0
        const lane = (name: string, weight: number, priority: number) =>
          semaphore.runExclusive(
            async () => {
              ran.push(name)
              most = Math.max(most, (inside += weight))
              for (let i = 0; i < 5; i++) await Promise.resolve()
              inside -= weight
            },
            weight,
            priority,
          )
        await Promise.all([lane('a', 1, 0), lane('b', 1, 0), lane('c', 1, -1), lane('d', 2, 1), lane('e', 1, 0)])
        expect(ran).toEqual(['a', 'b', 'd', 'e', 'c'])
        expect(most).toBe(2)
      })
    })

    describe('cancel', () => {
      test('rejects all who wait, in their order, and keeps the value', async () => {
        const semaphore = make(2)
        const events = new Events()
        await semaphore.acquire(1)
        events.watch('heavy', semaphore.acquire(3))
        events.watch('low', semaphore.acquire(1, -1))
        events.watch('high', semaphore.acquire(3, 1))
        semaphore.cancel()
        await events.run()
        const message = library.E_CANCELED.message
        expect(events.take()).toEqual([`high! ${message}`, `heavy! ${message}`, `low! ${message}`])
        expect(semaphore.getValue()).toBe(1)
      })

      test('rejects with the error that the semaphore was made with', async () => {
        const error = new TypeError('closing')
        const semaphore = make(0, error)
        const waiting = semaphore.acquire()
        const running = semaphore.runExclusive(() => 'never')
        semaphore.cancel()
        await expect(waiting).rejects.toBe(error)
        await expect(running).rejects.toBe(error)
      })

      test('lets later ones be served', async () => {
        const semaphore = make(1)
        const heavy = semaphore.acquire(2)
        semaphore.cancel()
        await expect(heavy).rejects.toBe(library.E_CANCELED)
        expect((await semaphore.acquire())[0]).toBe(1)
      })
    })
  })
}
