import { type Apartment, blocking, callWith, type Remote } from '@flatshare/apartment'
import { byReference } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Relay } from '../threads/blocker.js'
import { Cells } from '../threads/cells.js'
import type { Opener } from './opener.js'

type Blocker = typeof import('../threads/blocker.js')

const url = new URL('../threads/blocker.js', import.meta.url)
const names = ['one', 'two', 'three']

export function deadlocks(open: Opener): void {
  let apartments: Apartment<Blocker>[]
  let relays: Remote<Relay>[]

  beforeAll(async () => {
    apartments = []
    // One after the other, so that their ages are known.
    for (const name of names) apartments.push(await open<Blocker>(url, { name }))
    relays = await Promise.all(apartments.map((apartment) => apartment.create('Relay')))
  })

  afterAll(async () => {
    await Promise.all(apartments.map((apartment) => apartment.close()))
  })

  /** Each of them blocks on the next, the last one on the first. */
  function circle(size: number, timeout?: number): Promise<string[]> {
    const arrivals = Cells.of(size, open.sharesMemory)
    const members = relays.slice(0, size)
    return Promise.all(members.map((relay, i) => relay.cross(arrivals, i, size, members[(i + 1) % size]!, timeout)))
  }

  // Who blocks on whom is written in shared memory.
  describe.runIf(open.sharesMemory)('S17 of threads that block on each other', () => {
    test('the youngest of two is told, with both calls, and the other is answered', async () => {
      for (let round = 0; round < 50; round++) {
        const [first, second] = await circle(2)
        expect(first).toBe('answered')
        expect(second).toMatch(
          /^DeadlockError: .*"two" waits for Relay\.add\(\), called on "one"; "one" waits for Relay\.add\(\), called on "two"/,
        )
      }
    })

    test('the youngest of three is told, with all three', async () => {
      for (let round = 0; round < 50; round++) {
        const [first, second, third] = await circle(3)
        expect([first, second]).toEqual(['answered', 'answered'])
        expect(third).toMatch(/^DeadlockError/)
        for (const name of names) expect(third).toContain(`"${name}" waits for Relay.add()`)
      }
    })

    test('the main thread is one like the others', async () => {
      for (let round = 0; round < 20; round++) {
        const local = byReference({ add: (a: number, b: number) => a + b })
        const arrivals = Cells.of(2, open.sharesMemory)
        const crossing = relays[0]!.cross(arrivals, 0, 2, local as never)
        // It goes out when this thread blocks.
        const asked = relays[1]!.meet(arrivals, 1, 2)
        expect(blocking(relays[0]!).runs).toBeTypeOf('number')
        expect(await crossing).toMatch(
          /^DeadlockError: .*"one" waits for .*add\(\), called on "main"; "main" waits for Relay\.runs/,
        )
        await asked
      }
    })
  })

  describe.runIf(!open.sharesMemory)('S17 of threads that block on each other, which none of them can see', () => {
    test.each([2, 3])('the first whose time is over is told, and all go on: %i', async (size) => {
      for (let round = 0; round < 3; round++) {
        const ends = await circle(size, 50)
        for (const end of ends) expect(end).toMatch(/^answered|^TimeoutError: /)
        expect(ends).toContainEqual(expect.stringMatching(/^TimeoutError/))
      }
      expect(await Promise.all(relays.map((relay) => relay.add(1, 2)))).toEqual([3, 3, 3])
    })

    test('the main thread is one like the others', async () => {
      const local = byReference({ add: (a: number, b: number) => a + b })
      const arrivals = Cells.of(2, open.sharesMemory)
      const crossing = relays[0]!.cross(arrivals, 0, 2, local as never)
      const asked = relays[1]!.meet(arrivals, 1, 2)
      expect(() => blocking(callWith(relays[0]!, { timeout: 50 })).runs).toThrow(
        expect.objectContaining({ name: 'TimeoutError' }),
      )
      expect(await crossing).toBe('answered')
      await asked
    })
  })

  describe('S17 threads that block on each other', () => {
    test('nobody is accused where the calls have led to each other', async () => {
      const [first, second, third] = relays as [Remote<Relay>, Remote<Relay>, Remote<Relay>]
      for (let round = 0; round < 20; round++) {
        expect(await first.pingPong(second as never, first as never, 10)).toBe(10)
        expect(await third.chain(() => 'home', second as never, first as never)).toBe('home')
        expect(blocking(third).chain(() => round, first as never, third as never, second as never)).toBe(round)
      }
    })
  })
}
