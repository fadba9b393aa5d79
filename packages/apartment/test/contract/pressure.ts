import { type Apartment, callWith, type Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cells } from '../threads/cells.js'
import type { Counter } from '../threads/loaded.js'
import { arenaTop, RING_BYTES } from './arena.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)
const MANY = 100_000

export function pressure(open: Opener): void {
  let apartment: Apartment<Loaded>
  let sending: Apartment<Loaded>

  beforeAll(async () => {
    ;[apartment, sending] = await Promise.all([open<Loaded>(loaded), open<Loaded>(loaded)])
  })
  afterAll(() => Promise.all([apartment.close(), sending.close()]))

  /** Holds the thread of a counter until it is let go. */
  async function hold(counter: Remote<Counter>): Promise<() => Promise<void>> {
    const cells = Cells.of(2, open.sharesMemory)
    const held = counter.block(cells)
    await cells.untilSet(0)
    return () => {
      cells.store(1, 1)
      return held
    }
  }

  describe('S2 a caller that is faster than its callee', () => {
    it(`makes ${MANY} calls: all are answered, in order, and shared memory holds a ring of them`, async () => {
      const counter = await apartment.create('Counter')
      // Both directions are in use.
      for (let i = 0; i < 100; i++) await counter.read()
      const before = arenaTop()
      const release = await hold(counter)
      const calls = Array.from({ length: MANY }, () => counter.hit())
      // All of them have left this turn.
      await new Promise((resolve) => setImmediate(resolve))
      await release()
      const answers = await Promise.all(calls)
      expect(answers.every((answer, i) => answer === i + 1)).toBe(true)
      expect(arenaTop() - before).toBeLessThanOrEqual(RING_BYTES)
    })

    it(`makes ${MANY} calls without an answer: all arrive, in order`, async () => {
      const counter = await apartment.create('Counter')
      for (let i = 0; i < 100; i++) await counter.read()
      const before = arenaTop()
      const release = await hold(counter)
      const silent = callWith(counter, { reply: false })
      const sent = Array.from({ length: MANY }, (_, i) => silent.inOrder(i))
      await new Promise((resolve) => setImmediate(resolve))
      await release()
      await Promise.all(sent)
      expect(await counter.read()).toBe(MANY)
      expect(arenaTop() - before).toBeLessThanOrEqual(RING_BYTES)
    })

    it('makes calls with texts and bytes of all sizes: the memory of each is given back', async () => {
      const counter = await apartment.create('Counter')
      for (let i = 0; i < 100; i++) await counter.read()
      const before = arenaTop()
      const release = await hold(counter)
      const silent = callWith(counter, { reply: false })
      const sent = Array.from({ length: 2000 }, (_, i) =>
        silent.inOrder(i, new Uint8Array((i * 37) % (RING_BYTES * 2))),
      )
      await new Promise((resolve) => setImmediate(resolve))
      await release()
      await Promise.all(sent)
      expect(await counter.read()).toBe(2000)
      expect(arenaTop() - before).toBeLessThanOrEqual(RING_BYTES)
    })

    // A port takes whatever it is given.
    it.runIf(open.link === 'shared')(
      'that awaits each call without an answer sends only what there is room for',
      async () => {
        const [counter, sender] = await Promise.all([apartment.create('Counter'), sending.create('Sender')])
        // The link of those two is there.
        await sender.sendOneWay(counter, 1, 8)
        const fresh = await apartment.create('Counter')
        const release = await hold(counter)
        const [count, bytes] = [1000, 1000]
        const sent = sender.sendOneWay(fresh, count, bytes)
        let taken = 0
        for (let quiet = 0; quiet < 3; ) {
          const now = await sender.takenAfter(50)
          quiet = now === taken ? quiet + 1 : 0
          taken = now
        }
        await release()
        await sent
        // The ring, and what waits for a place in it.
        expect(taken * bytes).toBeLessThanOrEqual(2 * RING_BYTES)
        // What another thread has sent isn't in order with a call of this one.
        while ((await fresh.read()) < count);
      },
    )
  })

  describe('S2 many callers of one thread', () => {
    it('are all served: one that calls once is answered while two others flood', async () => {
      const counter = await apartment.create('Counter')
      const flooding = await Promise.all([sending.create('Flooder'), (await thirdOf()).create('Flooder')])
      const floods = flooding.map((flooder) => flooder.flood(counter, 1000))
      while ((await counter.read()) < 10_000);
      await Promise.all(flooding.map((flooder) => flooder.stop()))
      for (const ends of await Promise.all(floods)) expect(Object.keys(ends)).toEqual(['answered'])
    })

    // Ports are read one after the other, as far as each has something.
    it.runIf(open.link === 'shared')('are served by turns: one call passes most of a flood', async () => {
      const third = await thirdOf()
      const counter = await apartment.create('Counter')
      const [first, second] = await Promise.all([sending.create('Flooder'), third.create('Flooder')])
      // Their links, and that of this thread, are there.
      await Promise.all([first.sendAll(counter, 100), second.sendAll(counter, 100)])
      const before = await counter.read()
      const cells = Cells.of(2, open.sharesMemory)
      const each = 50_000
      const floods = [first.sendAll(counter, each, cells)]
      await cells.untilSet(0)
      floods.push(second.sendAll(counter, each))
      // The calls of the second are on their way once its thread has answered a later call.
      await third.remote.manyNames
      const mine = counter.read()
      await new Promise((resolve) => setImmediate(resolve))
      cells.store(1, 1)
      expect((await mine) - before).toBeLessThan(each / 2)
      const [some, others] = await Promise.all(floods)
      expect(some!.length + others!.length).toBe(2 * each)
      expect(await counter.read()).toBe(before + 2 * each)
    })
  })

  let third: Promise<Apartment<Loaded>> | undefined
  const thirdOf = () => (third ??= open<Loaded>(loaded))
  afterAll(async () => (await third)?.close())
}
