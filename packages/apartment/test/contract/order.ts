import type { Apartment, Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_RECORD } from '../../dist/ring.js'
import { Journal, sendMixed } from '../threads/journal.js'
import { RING_BYTES } from './arena.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)
/** Sizes at which something changes. */
const edges = [64, 1024, MAX_RECORD / 2, MAX_RECORD, RING_BYTES / 2, RING_BYTES, 2 * RING_BYTES]
const CALLS = 400

const numbers = (arrivals: Array<[journal: string, number: number]>) => arrivals.map(([, number]) => number)
const allInOrder = Array.from({ length: CALLS }, (_, i) => i)

export function order(open: Opener): void {
  let one: Apartment<Loaded>
  let other: Apartment<Loaded>

  beforeAll(async () => {
    ;[one, other] = await Promise.all([open<Loaded>(loaded, { name: 'one' }), open<Loaded>(loaded, { name: 'other' })])
  })
  afterAll(() => Promise.all([one.close(), other.close()]))

  const journalsOf = (apartment: Apartment<Loaded>): Promise<Remote<Journal>[]> =>
    Promise.all([apartment.create('Journal', 'first'), apartment.create('Journal', 'second')])

  describe('S2 calls of every kind arrive in the order in which one thread made them', () => {
    it.each([1, 2, 3])('from this thread (%i)', async (seed) => {
      const journals = await journalsOf(one)
      expect(await sendMixed(journals, seed, CALLS, edges)).toEqual([])
      const { arrivals, faults } = await journals[0]!.taken()
      expect(faults).toEqual([])
      expect(numbers(arrivals)).toEqual(allInOrder)
      expect(new Set(arrivals.map(([name]) => name))).toEqual(new Set(['first', 'second']))
    })

    it.each([4, 5])('to this thread (%i)', async (seed) => {
      const journals = [new Journal('first'), new Journal('second')]
      expect(await one.remote.mixed(journals as never, seed, CALLS, edges)).toEqual([])
      const { arrivals, faults } = journals[0]!.taken()
      expect(faults).toEqual([])
      expect(numbers(arrivals)).toEqual(allInOrder)
    })

    it.each([6, 7])('between two others (%i)', async (seed) => {
      const journals = await journalsOf(other)
      expect(await one.remote.mixed(journals as never, seed, CALLS, edges)).toEqual([])
      const { arrivals, faults } = await journals[0]!.taken()
      expect(faults).toEqual([])
      expect(numbers(arrivals).toSorted((a, b) => a - b)).toEqual(allInOrder)
      // Each of the references was handed on, and may have come with a link of its own.
      for (const journal of ['first', 'second']) {
        const own = numbers(arrivals.filter(([name]) => name === journal))
        expect(own).toEqual(own.toSorted((a, b) => a - b))
      }
    })

    it('in both directions at once', async () => {
      const there = await journalsOf(one)
      const here = [new Journal('first'), new Journal('second')]
      // Who blocks serves its own chain of calls alone: the other's calls wait meanwhile, and none may wait for them.
      const both = await Promise.all([
        sendMixed(there, 8, CALLS, edges, false),
        one.remote.mixed(here as never, 9, CALLS, edges),
      ])
      expect(both).toEqual([[], []])
      for (const { arrivals, faults } of [await there[0]!.taken(), here[0]!.taken()]) {
        expect(faults).toEqual([])
        expect(numbers(arrivals)).toEqual(allInOrder)
      }
    })
  })
}
