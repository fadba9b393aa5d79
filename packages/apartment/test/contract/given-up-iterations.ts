import { getEventListeners } from 'node:events'
import { type Apartment, ApartmentPool, callWith, type Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cells } from '../threads/cells.js'
import { type Counter, Word } from '../threads/iterated.js'
import type { Opener } from './opener.js'

type Module = typeof import('../threads/iterated.js')

const module = new URL('../threads/iterated.js', import.meta.url)
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

type Loop = (words: Cells, signal: AbortSignal) => AsyncIterable<number>

export function givenUpIterations(open: Opener): void {
  const newWords = () => Cells.of(4, open.sharesMemory)
  /** Iterates with a deadline, later and later until the generator has come so far before it; gives the loop's error. */
  async function untilReached(
    word: number,
    loop: (timeout: number, words: Cells) => Promise<void>,
  ): Promise<{ readonly error: any; readonly words: Cells }> {
    for (let timeout = 50; ; timeout *= 2) {
      const words = newWords()
      const error = await loop(timeout, words).catch((thrown: unknown) => thrown)
      if (words.load(word) !== 0) return { error, words }
    }
  }

  let apartment: Apartment<Module>
  let counter: Remote<Counter>
  let pool: ApartmentPool<Module>
  let replica: Remote<Counter>

  beforeAll(async () => {
    apartment = await open<Module>(module, { name: 'iterated' })
    counter = await apartment.create('Counter')
    pool = await ApartmentPool.open<Module>(module, { max: 2 })
    replica = await pool.replicate('Counter')
  })
  afterAll(() => Promise.all([apartment.close(), pool.terminate()]))

  const loops: Record<string, Loop> = {
    'a module’s generator': (words, signal) => callWith(apartment.remote, { signal }).numbers(words),
    'an object’s generator': (words, signal) => callWith(counter, { signal }).count(words),
    'a generator that a plain method returned': (words, signal) => callWith(counter, { signal }).numbers(words),
    // A pool's threads are threads of this process.
    ...(open.sharesMemory && {
      'a pool’s generator': (words, signal) => callWith(pool.remote, { signal }).numbers(words),
      'a replica’s generator': (words, signal) => callWith(replica, { signal }).count(words),
    }),
    'an iterable inside a result': async function* (words, signal) {
      yield* (await callWith(apartment.remote, { signal }).iterable(words)).numbers
    },
  }

  describe('S14 the loop rejects with the signal’s reason, and the generator ends at home', () => {
    for (const [name, loop] of Object.entries(loops)) {
      it(`${name}, while it waits for the next item`, async () => {
        const words = newWords()
        const controller = new AbortController()
        const taken: number[] = []
        const looping = (async () => {
          for await (const n of loop(words, controller.signal)) {
            taken.push(n)
            if (n === 20) setImmediate(() => controller.abort(new RangeError('enough')))
          }
        })()
        const thrown = await looping.catch((error: unknown) => error)
        expect(thrown).toBeInstanceOf(RangeError)
        expect(thrown).toBe(controller.signal.reason)
        expect(taken.slice(0, 21)).toEqual(Array.from({ length: 21 }, (_, i) => i))
        await words.untilSet(Word.ended)
        expect(words.load(Word.aborted)).toBe(1)
        expect(listeners(controller.signal)).toBe(0)
      })

      it(`${name}, while the loop’s own body runs`, async () => {
        const words = newWords()
        const controller = new AbortController()
        const looping = (async () => {
          for await (const n of loop(words, controller.signal)) {
            if (n < 3) continue
            controller.abort(new RangeError('enough'))
            await words.untilSet(Word.ended)
          }
        })()
        await expect(looping).rejects.toThrow('enough')
        expect(words.load(Word.aborted)).toBe(1)
        expect(listeners(controller.signal)).toBe(0)
      })
    }

    it('by a step that never settles, which hears of it with the reason', async () => {
      const words = newWords()
      const controller = new AbortController()
      const items = callWith(apartment.remote, { signal: controller.signal }).oneThenNothing(words)
      expect(await items.next()).toEqual({ done: false, value: 0 })
      const stuck = items.next()
      await words.untilSet(Word.waiting)
      controller.abort(Object.assign(new RangeError('enough'), { page: 3 }))
      await expect(stuck).rejects.toBe(controller.signal.reason)
      expect(await items.next()).toEqual({ done: true, value: undefined })
      await words.untilSet(Word.ended)
      expect(await apartment.remote.lastSeen()).toMatchObject({ message: 'enough', page: 3 })
    })

    it('with a reason that cannot cross', async () => {
      const words = newWords()
      const controller = new AbortController()
      const items = callWith(apartment.remote, { signal: controller.signal }).oneThenNothing(words)
      await items.next()
      const stuck = items.next()
      await words.untilSet(Word.waiting)
      controller.abort(new WeakMap())
      await expect(stuck).rejects.toBe(controller.signal.reason)
      await words.untilSet(Word.ended)
      expect(await apartment.remote.lastSeen()).toMatchObject({ name: 'AbortError' })
    })

    for (const wait of [false, true]) {
      // In a busy loop nothing is received: only shared memory is seen.
      it.runIf(open.sharesMemory)(
        `in a busy loop between two items${wait ? ', of a step that runs ahead' : ''}`,
        async () => {
          const words = newWords()
          const controller = new AbortController()
          const items = callWith(apartment.remote, { signal: controller.signal }).thenSpins(words, wait)
          for (let i = 0; i < 3; i++) expect(await items.next()).toEqual({ done: false, value: i })
          const stuck = items.next().catch((error: unknown) => error)
          await words.untilSet(Word.waiting)
          controller.abort()
          expect(await stuck).toBe(controller.signal.reason)
          await words.untilSet(Word.ended)
        },
      )
    }
  })

  describe('S14 the loop rejects at its deadline', () => {
    it('and the generator ends at home', async () => {
      const { error, words } = await untilReached(Word.steps, async (timeout, words) => {
        for await (const n of callWith(counter, { timeout }).count(words)) expect(n).toBeGreaterThanOrEqual(0)
      })
      expect(error).toMatchObject({ name: 'TimeoutError', message: expect.stringMatching(/^Counter\.count\(\): /) })
      expect(error.stack).toMatch(/given-up-iterations/)
      await words.untilSet(Word.ended)
      expect(words.load(Word.aborted)).toBe(1)
    })

    it('and a busy loop sees it by the clock', async () => {
      const { error, words } = await untilReached(Word.waiting, async (timeout, words) => {
        for await (const n of callWith(open.sharesMemory ? pool.remote : apartment.remote, { timeout }).thenSpins(
          words,
          false,
        ))
          expect(n).toBeLessThan(3)
      })
      expect(error).toMatchObject({ name: 'TimeoutError' })
      await words.untilSet(Word.ended)
    })
  })

  describe('what is not given up', () => {
    it('ends quietly by a break, and leaves no listener', async () => {
      for (const loop of Object.values(loops)) {
        const words = newWords()
        const { signal } = new AbortController()
        for await (const n of loop(words, signal)) {
          expect(listeners(signal)).toBeGreaterThan(0)
          if (n === 5) break
        }
        await words.untilSet(Word.ended)
        expect(words.load(Word.aborted)).toBe(2)
        expect(listeners(signal)).toBe(0)
      }
    })

    it('goes on, also in cells that were used before', async () => {
      const { signal } = new AbortController()
      for (let i = 0; i < 100; i++) {
        const words = newWords()
        for await (const n of callWith(counter, { signal, timeout: 60_000 }).count(words)) if (n === 1) break
        expect(words.load(Word.aborted)).toBe(2)
      }
      expect(listeners(signal)).toBe(0)
    })

    it('before it began: nothing has run that would have to end', async () => {
      const words = newWords()
      const controller = new AbortController()
      const items = await (async () => callWith(counter, { signal: controller.signal }).count(words))()
      expect(listeners(controller.signal)).toBe(0)
      controller.abort(new RangeError('enough'))
      await expect(items.next()).rejects.toThrow('enough')
      expect(await items.next()).toEqual({ done: true, value: undefined })
      expect(await counter.ping()).toBe('pong')
      expect(words.load(Word.ended)).toBe(0)
    })

    it('another call’s iteration of the same iterable goes on', async () => {
      const words = newWords()
      const controller = new AbortController()
      const { numbers } = await callWith(apartment.remote, { signal: controller.signal }).iterable(words)
      const first = numbers[Symbol.asyncIterator]()
      await first.next()
      controller.abort()
      await expect(first.next()).rejects.toBe(controller.signal.reason)
      const free = await apartment.remote.iterable(words)
      for await (const n of free.numbers) if (n === 3) break
    })
  })
}
