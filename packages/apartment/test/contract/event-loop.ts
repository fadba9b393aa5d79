import { type Apartment, blocking, type Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Counter, ownOrder, ownWork } from '../threads/loaded.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)
const ROUNDS = 10
const inOrder = new Array(ROUNDS).fill(ownOrder).flat()

export function eventLoop(open: Opener): void {
  let apartment: Apartment<Loaded>
  let flooding: Apartment<Loaded>
  let counter: Remote<Counter>

  beforeAll(async () => {
    ;[apartment, flooding] = await Promise.all([open<Loaded>(loaded), open<Loaded>(loaded)])
    counter = await apartment.create('Counter')
  })
  afterAll(() => Promise.all([apartment.close(), flooding.close()]))

  /** Goes on until the work is done. */
  async function during<T>(work: Promise<T>, each: () => unknown): Promise<T> {
    let done = false
    void work.finally(() => (done = true))
    while (!done) await each()
    return work
  }
  const together = (count: number) => () => Promise.all(Array.from({ length: count }, () => counter.hit()))

  describe('timers, immediates, files, ticks and microtasks have their turns, in their order,', () => {
    it('on a thread that is called one call after the other', async () => {
      expect(await during(apartment.remote.ownWork(ROUNDS), () => counter.hit())).toEqual(inOrder)
    })

    it('on a thread that is flooded', async () => {
      expect(await during(apartment.remote.ownWork(ROUNDS), together(500))).toEqual(inOrder)
    })

    it('on a thread that calls one call after the other', async () => {
      expect(await during(ownWork(ROUNDS), () => counter.hit())).toEqual(inOrder)
    })

    it('on a thread that floods another', async () => {
      expect(await during(ownWork(ROUNDS), together(500))).toEqual(inOrder)
    })

    it('on a thread between two others that flood each other through it', async () => {
      const flooders = await Promise.all([flooding.create('Flooder'), flooding.create('Flooder')])
      const floods = [flooders[0]!.flood(counter, 300), flooders[1]!.flood(counter, 1)]
      expect(await during(apartment.remote.ownWork(ROUNDS), () => counter.callBack(() => 1))).toEqual(inOrder)
      await Promise.all(flooders.map((flooder) => flooder.stop()))
      await Promise.all(floods)
    })

    it('on a thread that blocks for many calls, one after the other', async () => {
      const work = ownWork(ROUNDS)
      const all = during(work, async () => {
        for (let i = 0; i < 100; i++) blocking(counter).hit()
        await new Promise((resolve) => setImmediate(resolve))
      })
      expect(await all).toEqual(inOrder)
    })
  })

  describe('microtasks', () => {
    it('that were queued before an answer came run before what awaits it', async () => {
      const log: string[] = []
      const calls = Array.from({ length: 1000 }, (_, i) => {
        const call = counter.hit().then(() => log.push(`answer ${i}`))
        queueMicrotask(() => log.push(`microtask ${i}`))
        return call
      })
      await Promise.all(calls)
      const of = (what: string) => Array.from({ length: 1000 }, (_, i) => `${what} ${i}`)
      // None of the answers comes in the turn of its call.
      expect(log).toEqual([...of('microtask'), ...of('answer')])
    })

    it('of what awaits one answer run before the next call is answered', async () => {
      for (let i = 0; i < 500; i++) {
        const log: string[] = []
        await counter.hit()
        queueMicrotask(() => log.push('microtask'))
        process.nextTick(() => log.push('tick'))
        await counter.hit()
        expect(log.toSorted()).toEqual(['microtask', 'tick'])
      }
    })

    // Over a port what was sent in one turn is received in one.
    it.runIf(open.link === 'shared')('of a served call aren’t kept waiting by a flood of later ones', async () => {
      const marked = await apartment.create('Counter')
      await Promise.all(Array.from({ length: 20_000 }, (_, i) => marked.marked(i)))
      expect(await marked.mostBetween()).toBeLessThan(2000)
    })
  })
}
