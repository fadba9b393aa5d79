/** What a mutex must do, plain or wrapped by `withTimeout`. */
import type { MutexInterface } from 'async-mutex'
import { describe, expect, test } from 'vitest'
import { Events, Gate, thenable, turns } from './events.js'
import type { Library, MakeMutex } from './library.js'

export function mutexContract(name: string, library: Library, make: MakeMutex): void {
  describe(name, () => {
    test('is free at first', () => {
      expect(make().isLocked()).toBe(false)
    })

    test('is locked as soon as it is asked for, before the promise settles', async () => {
      const mutex = make()
      const release = mutex.acquire()
      expect(mutex.isLocked()).toBe(true)
      ;(await release)()
      expect(mutex.isLocked()).toBe(false)
    })

    test('goes to one at a time, in the order of asking', async () => {
      const mutex = make()
      const events = new Events()
      const releases = ['a', 'b', 'c'].map(async (name) => {
        const release = await mutex.acquire()
        events.note(name)
        return release
      })
      await events.run()
      expect(events.take()).toEqual(['a'])
      ;(await releases[0]!)()
      expect(mutex.isLocked()).toBe(true)
      await events.run()
      expect(events.take()).toEqual(['b'])
      ;(await releases[1]!)()
      ;(await releases[2]!)()
      expect(mutex.isLocked()).toBe(false)
      expect(events.take()).toEqual(['c'])
    })

    test('goes to higher priorities first, in the order of asking among equals', async () => {
      const mutex = make()
      const events = new Events()
      const lane = async (name: string, priority?: number) => {
        const release = await mutex.acquire(priority)
        events.note(name)
        release()
      }
      await Promise.all([
        lane('holder'),
        lane('low 1', -1),
        lane('none'),
        lane('low 2', -1),
        lane('high 1', 5),
        lane('zero', 0),
        lane('fraction', 0.5),
        lane('high 2', 5),
        lane('highest', Infinity),
        lane('lowest', -Infinity),
      ])
      expect(events.take()).toEqual([
        'holder',
        'highest',
        'high 1',
        'high 2',
        'fraction',
        'none',
        'zero',
        'low 1',
        'low 2',
        'lowest',
      ])
    })

    test('a releaser that is called twice releases once', async () => {
      const mutex = make()
      const release = await mutex.acquire()
      const second = mutex.acquire()
      const third = mutex.acquire()
      const events = new Events()
      events.watch('second', second)
      events.watch('third', third)
      release()
      release()
      await events.run()
      release()
      await events.run()
      expect(events.take()).toEqual(['second'])
      expect(mutex.isLocked()).toBe(true)
      ;(await second)()
      ;(await third)()
      expect(mutex.isLocked()).toBe(false)
    })

    test('releasers need no receiver, and give nothing', async () => {
      const mutex = make()
      const release = await mutex.acquire()
      expect(release.length).toBe(0)
      expect(Reflect.apply(release, undefined, [])).toBeUndefined()
      expect(mutex.isLocked()).toBe(false)
    })

    test('release() frees it without the releaser, and gives nothing', async () => {
      const mutex = make()
      await mutex.acquire()
      expect(mutex.release()).toBeUndefined()
      expect(mutex.isLocked()).toBe(false)
    })

    test('release() of a free mutex does nothing', async () => {
      const mutex = make()
      mutex.release()
      mutex.release()
      const events = new Events()
      events.watch('first', mutex.acquire())
      events.watch('second', mutex.acquire())
      await events.run()
      expect(events.take()).toEqual(['first'])
    })

    test('release() hands over to the next at once', async () => {
      const mutex = make()
      const events = new Events()
      events.watch('first', mutex.acquire())
      events.watch('second', mutex.acquire())
      events.watch('third', mutex.acquire())
      await events.run()
      mutex.release()
      expect(mutex.isLocked()).toBe(true)
      mutex.release()
      expect(mutex.isLocked()).toBe(true)
      mutex.release()
      expect(mutex.isLocked()).toBe(false)
      await events.run()
      expect(events.take()).toEqual(['first', 'second', 'third'])
    })

    test('acquire and release() alone make critical sections', async () => {
      const mutex = make()
      let inside = 0
      let entered = 0
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          await mutex.acquire()
          expect(++inside).toBe(1)
          entered++
          await Promise.resolve()
          inside--
          mutex.release()
        }),
      )
      expect(entered).toBe(20)
      expect(mutex.isLocked()).toBe(false)
    })

    describe('runExclusive', () => {
      test('gives what the callback gives, awaited', async () => {
        const mutex = make()
        expect(await mutex.runExclusive(() => 10)).toBe(10)
        expect(await mutex.runExclusive(() => Promise.resolve(10))).toBe(10)
        expect(await mutex.runExclusive(async () => undefined)).toBeUndefined()
        expect(await mutex.runExclusive(() => thenable('later'))).toBe('later')
        expect(mutex.isLocked()).toBe(false)
      })

      test('calls the callback with nothing', async () => {
        const given: unknown[] = []
        const callback = (...args: unknown[]) => given.push(...args)
        await make().runExclusive(callback)
        expect(given).toEqual([])
      })

      test('passes on what the callback throws or rejects with, and unlocks', async () => {
        const mutex = make()
        const error = new Error('mine')
        const thrown = mutex.runExclusive(() => {
          throw error
        })
        await expect(thrown).rejects.toBe(error)
        expect(mutex.isLocked()).toBe(false)
        await expect(mutex.runExclusive(() => Promise.reject(error))).rejects.toBe(error)
        expect(mutex.isLocked()).toBe(false)
      })

      test('rejects when the callback is no function, and unlocks', async () => {
        const mutex = make()
        await expect(mutex.runExclusive(5 as never)).rejects.toThrow(TypeError)
        expect(mutex.isLocked()).toBe(false)
      })

      test('holds it until the promise of the callback settles', async () => {
        const mutex = make()
        const gate = new Gate()
        const events = new Events()
        events.watch(
          'outer',
          mutex.runExclusive(() => gate.passed),
        )
        events.watch(
          'next',
          mutex.runExclusive(() => events.note('runs')),
        )
        await events.run()
        expect(events.take()).toEqual([])
        expect(mutex.isLocked()).toBe(true)
        gate.open()
        await events.run()
        expect(events.take()).toContain('next')
        expect(mutex.isLocked()).toBe(false)
      })

      test('never runs the callback before it returns', async () => {
        const mutex = make()
        let ran = false
        const done = mutex.runExclusive(() => {
          ran = true
        })
        expect(ran).toBe(false)
        expect(mutex.isLocked()).toBe(true)
        await done
        expect(ran).toBe(true)
      })

      test('runs higher priorities first', async () => {
        const mutex = make()
        const ran: number[] = []
        await Promise.all([0, -1, 1, 1.5, -1].map((n, i) => mutex.runExclusive(() => ran.push(n * 10 + i), n)))
        expect(ran).toEqual([0, 18, 12, -9, -6])
      })

      test('releases once, even when the callback has released already', async () => {
        const mutex = make()
        await mutex.acquire().then((release) => release())
        const gate = new Gate()
        const outer = mutex.runExclusive(() => gate.passed)
        const waiter = mutex.acquire()
        gate.open()
        await outer
        const release = await waiter
        expect(mutex.isLocked()).toBe(true)
        release()
        expect(mutex.isLocked()).toBe(false)
      })
    })

    describe('cancel', () => {
      test('rejects all who wait with E_CANCELED; the holder keeps it', async () => {
        const mutex = make()
        const release = await mutex.acquire()
        const waiting = [mutex.acquire(), mutex.acquire(3), mutex.acquire(-3)]
        const running = mutex.runExclusive(() => 'never')
        expect(mutex.cancel()).toBeUndefined()
        for (const promise of [...waiting, running]) await expect(promise).rejects.toBe(library.E_CANCELED)
        expect(mutex.isLocked()).toBe(true)
        release()
        expect(mutex.isLocked()).toBe(false)
      })

      test('rejects with the error that the mutex was made with', async () => {
        const error = new Error('closing')
        const mutex = make(error)
        await mutex.acquire()
        const waiting = mutex.acquire()
        const running = mutex.runExclusive(() => 'never')
        mutex.cancel()
        await expect(waiting).rejects.toBe(error)
        await expect(running).rejects.toBe(error)
      })

      test('does nothing where nobody waits, and ends nothing for later ones', async () => {
        const mutex = make()
        mutex.cancel()
        const release = await mutex.acquire()
        mutex.cancel()
        const next = mutex.acquire()
        release()
        expect(typeof (await next)).toBe('function')
      })

      test('doesn’t touch those that have been served, though their promises have not told yet', async () => {
        const mutex = make()
        const first = mutex.acquire()
        const second = mutex.acquire()
        mutex.release()
        mutex.cancel()
        expect(typeof (await first)).toBe('function')
        expect(typeof (await second)).toBe('function')
      })

      test('leaves those who wait for it to be unlocked', async () => {
        const mutex = make()
        const release = await mutex.acquire()
        const events = new Events()
        events.watch('unlocked', mutex.waitForUnlock())
        mutex.cancel()
        await events.run()
        expect(events.take()).toEqual([])
        release()
        await events.run()
        expect(events.take()).toEqual(['unlocked'])
      })
    })

    describe('waitForUnlock', () => {
      const watchUnlock = (events: Events, mutex: MutexInterface, name: string, priority?: number) =>
        events.watch(name, mutex.waitForUnlock(priority))

      test('resolves to nothing, at once where it is free, and leaves it free', async () => {
        const mutex = make()
        expect(await mutex.waitForUnlock()).toBeUndefined()
        expect(mutex.isLocked()).toBe(false)
      })

      test('waits for the release, all of them together', async () => {
        const mutex = make()
        const events = new Events()
        const release = await mutex.acquire()
        watchUnlock(events, mutex, 'a')
        watchUnlock(events, mutex, 'b')
        await events.run()
        expect(events.take()).toEqual([])
        release()
        expect(mutex.isLocked()).toBe(false)
        await events.run()
        expect(events.take()).toEqual(['a', 'b'])
      })

      test('waits for all who have asked, of its priority or a higher one', async () => {
        const mutex = make()
        const events = new Events()
        void mutex.acquire()
        void mutex.acquire()
        watchUnlock(events, mutex, 'equal')
        watchUnlock(events, mutex, 'higher', 1)
        watchUnlock(events, mutex, 'lower', -1)
        await turns()
        mutex.release()
        await events.run()
        expect(events.take()).toEqual(['higher'])
        mutex.release()
        await events.run()
        expect(events.take()).toEqual(['equal', 'lower'])
      })

      test('of a higher priority resolves though others wait, where it is free in between only', async () => {
        const mutex = make()
        const events = new Events()
        void mutex.acquire()
        void mutex.acquire()
        watchUnlock(events, mutex, 'now', 1)
        await events.run()
        expect(events.take()).toEqual([])
        mutex.release()
        await events.run()
        expect(events.take()).toEqual(['now'])
      })

      test('is told in the order of priorities, then of asking', async () => {
        const mutex = make()
        const events = new Events()
        const release = await mutex.acquire()
        for (const [name, priority] of [
          ['a', 0],
          ['b', 2],
          ['c', 0],
          ['d', -1],
          ['e', 2],
        ] as const)
          watchUnlock(events, mutex, name, priority)
        release()
        await events.run()
        expect(events.take()).toEqual(['b', 'e', 'a', 'c', 'd'])
      })

      test('is told before the next holder', async () => {
        const mutex = make()
        const events = new Events()
        void mutex.acquire()
        void mutex.runExclusive(() => events.note('next'))
        watchUnlock(events, mutex, 'told', 1)
        mutex.release()
        await events.run()
        expect(events.take()).toEqual(['told', 'next'])
      })
    })
  })
}
