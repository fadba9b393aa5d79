import { type Apartment, blocking, type Remote } from '@flatshare/apartment'
import { byReference } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Relay } from '../threads/blocker.js'
import type { Opener } from './opener.js'

type Blocker = typeof import('../threads/blocker.js')

const url = new URL('../threads/blocker.js', import.meta.url)
const names = ['one', 'two', 'three']

/** Where so many threads meet. */
function meeting(threads: number): Int32Array {
  const arrivals = new Int32Array(new SharedArrayBuffer(8))
  arrivals[1] = threads
  return arrivals
}

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
  function circle(size: number): Promise<string[]> {
    const arrivals = meeting(size)
    const members = relays.slice(0, size)
    return Promise.all(members.map((relay, i) => relay.cross(arrivals, members[(i + 1) % size]!)))
  }

  describe('S17 of threads that block on each other', () => {
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
        const arrivals = meeting(2)
        const crossing = relays[0]!.cross(arrivals, local as never)
        // It goes out when this thread blocks.
        const asked = relays[1]!.meet(arrivals)
        expect(blocking(relays[0]!).runs).toBeTypeOf('number')
        expect(await crossing).toMatch(
          /^DeadlockError: .*"one" waits for .*add\(\), called on "main"; "main" waits for Relay\.runs/,
        )
        await asked
      }
    })

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
