/** `waitForUnlock` of a semaphore, plain or wrapped by `withTimeout`: its weights, priorities and order. */
import { describe, expect, test } from 'vitest'
import { Events } from './events.js'
import type { MakeSemaphore } from './library.js'

export function waitForUnlockContract(name: string, make: MakeSemaphore): void {
  describe(name, () => {
    test('resolves to nothing, at once where its weight is free, and takes nothing', async () => {
      const semaphore = make(2)
      expect(await semaphore.waitForUnlock()).toBeUndefined()
      expect(await semaphore.waitForUnlock(2)).toBeUndefined()
      expect(semaphore.getValue()).toBe(2)
    })

    test('waits until so much is free as it asks for', async () => {
      const semaphore = make(2)
      const events = new Events()
      await semaphore.acquire(2)
      for (const weight of [2, 3, 1]) events.watch(String(weight), semaphore.waitForUnlock(weight))
      await events.run()
      expect(events.take()).toEqual([])
      semaphore.release(1)
      await events.run()
      expect(events.take()).toEqual(['1'])
      semaphore.setValue(3)
      await events.run()
      expect(events.take()).toEqual(['3', '2'])
    })

    test('is told by weight, the heaviest first, then by priority, then by asking', async () => {
      const semaphore = make(0)
      const events = new Events()
      const asked = [
        ['1 low', 1, -1],
        ['2 a', 2, 0],
        ['1 high', 1, 9],
        ['2 b', 2, 0],
        ['3', 3, -5],
        ['2 high', 2, 1],
        ['1 mid', 1, 0],
      ] as const
      for (const [name, weight, priority] of asked) events.watch(name, semaphore.waitForUnlock(weight, priority))
      semaphore.setValue(3)
      await events.run()
      expect(events.take()).toEqual(['3', '2 high', '2 a', '2 b', '1 high', '1 mid', '1 low'])
    })

    test('doesn’t resolve behind those who ask for the semaphore, unless its priority is higher', async () => {
      const semaphore = make(2)
      const events = new Events()
      void semaphore.acquire(3, 1)
      events.watch('higher', semaphore.waitForUnlock(1, 2))
      events.watch('equal', semaphore.waitForUnlock(1, 1))
      events.watch('lower', semaphore.waitForUnlock(1, 0))
      await events.run()
      expect(events.take()).toEqual(['higher'])
      semaphore.release(1)
      await events.run()
      expect(events.take()).toEqual([])
      semaphore.release(1)
      await events.run()
      expect(events.take()).toEqual(['equal', 'lower'])
    })

    test('resolves in descending priority as the queue drains', async () => {
      const semaphore = make(0)
      const events = new Events()
      events.watch('acquire 2', semaphore.acquire(2, 2))
      events.watch('acquire 0', semaphore.acquire(2, 0))
      events.watch('wait 1', semaphore.waitForUnlock(2, 1))
      events.watch('wait 3', semaphore.waitForUnlock(2, 3))
      semaphore.release(2)
      await events.run()
      expect(events.take()).toEqual(['wait 3', 'acquire 2'])
      semaphore.release(2)
      await events.run()
      expect(events.take()).toEqual(['wait 1', 'acquire 0'])
    })

    test('resolves though the next in the queue takes the room away again', async () => {
      const semaphore = make(0)
      const events = new Events()
      events.watch('next', semaphore.acquire(1, 0))
      events.watch('told', semaphore.waitForUnlock(1, 1))
      semaphore.release()
      expect(semaphore.getValue()).toBe(0)
      await events.run()
      expect(events.take()).toEqual(['told', 'next'])
    })

    test('looks at what is left between one that is served and the next', async () => {
      const semaphore = make(0)
      const events = new Events()
      events.watch('a', semaphore.acquire(1))
      events.watch('b', semaphore.acquire(1))
      events.watch('one', semaphore.waitForUnlock(1))
      events.watch('two', semaphore.waitForUnlock(2))
      semaphore.release(4)
      expect(semaphore.getValue()).toBe(2)
      await events.run()
      expect(events.take()).toEqual(['a', 'b', 'two', 'one'])
    })

    test('is not touched by cancel, nor told of it: the next release tells', async () => {
      const semaphore = make(1)
      const events = new Events()
      events.watch('heavy', semaphore.acquire(2))
      events.watch('told', semaphore.waitForUnlock(1))
      semaphore.cancel()
      await events.run()
      expect(events.take()).toEqual(['heavy! request for lock canceled'])
      semaphore.release()
      await events.run()
      expect(events.take()).toEqual(['told'])
    })

    test('resolves each once', async () => {
      const semaphore = make(0)
      let told = 0
      void semaphore.acquire(5)
      const waiting = semaphore.waitForUnlock(1, 1).then(() => told++)
      semaphore.release()
      semaphore.release()
      await waiting
      semaphore.release()
      expect(told).toBe(1)
    })

    test('a weight that is no number, or without end, waits for ever', async () => {
      const semaphore = make(1)
      const events = new Events()
      events.watch('nan', semaphore.waitForUnlock(Number.NaN))
      events.watch('infinite', semaphore.waitForUnlock(Infinity))
      events.watch('one', semaphore.waitForUnlock(1))
      semaphore.setValue(1e6)
      semaphore.cancel()
      await events.run()
      expect(events.take()).toEqual(['one'])
    })

    test('a priority that is no number is told before those that asked before it', async () => {
      const semaphore = make(0)
      const events = new Events()
      events.watch('a', semaphore.waitForUnlock(1, 5))
      events.watch('nan', semaphore.waitForUnlock(1, Number.NaN))
      events.watch('b', semaphore.waitForUnlock(1, 9))
      semaphore.release()
      await events.run()
      expect(events.take()).toEqual(['b', 'nan', 'a'])
    })
  })
}
