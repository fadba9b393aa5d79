/**
 * The algorithm of `Barrier`: threads that wait until there are n of them, again and again.
 *
 *   +0  n          +4  generation · 2, + 1 if the last one that ended was broken          +8  its leader's node
 *
 * A generation is the group of those who wait for each other. Who arrives is linked into the queue, with
 * the number of the present generation; so who has arrived is not counted anywhere, it is read off the
 * queue, and neither giving up nor a death can leave a count behind.
 *
 *   in the queue, of the present generation      what `serve` does
 *   fewer than n, all alive                      nothing
 *   n, all alive                                 ends it: the last one is the leader
 *   a dead one                                   ends it, broken
 *
 * A generation ends by one store, of the next number: from then on nobody is of the present generation, and
 * whoever serves next, if the thread that stored it died at once, grants those that are left with the
 * outcome that the words tell. All that come into the guard serve first, so at most one ended generation
 * has anybody who is not granted yet.
 *
 * All of it is read and written inside the guard.
 *
 * Invariants
 * - A node that isn't granted, and whose generation is not the present one, is of the last one that ended.
 * - The leader is written before its generation ends. Its node can't be another one's before all of its
 *   generation are granted, for nobody is linked before that.
 * - A generation that ended whole had n arrivals, none of which was withdrawn or dead when it was looked at.
 */

import type { AsyncWaiter } from './awaiting.js'
import type { BlockOptions } from './blocking.js'
import type { WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a barrier takes. Its first word is the number of parties, the others are zero at first. */
export const BARRIER_BYTES = 16

/** How a wait at a barrier ended. */
export const Passage = {
  passed: 0,
  leader: 1,
  broken: 2,
} as const
export type Passage = (typeof Passage)[keyof typeof Passage]

const GENERATION = 4
const LEADER = 8
const BROKEN = 1
const KIND = 6

/** The functions of a barrier over a memory. */
export function makeBarrier(waiting: Waiting) {
  const { queues } = waiting
  const { memory } = queues

  waiting.register(KIND, { serve })

  function serve(address: number): void {
    const { arrived, last, anyDead } = present(address)
    if (anyDead) end(address, BROKEN, 0)
    else if (arrived > 0 && arrived === memory.get(address)) end(address, 0, last)
  }

  /** Grants and drops what is left of the last generation, and says who is of the present one. */
  function present(address: number): { arrived: number; last: WaitNode; anyDead: boolean } {
    const ended = memory.get(address + GENERATION)
    const generation = ended >>> 1
    let arrived = 0
    let last = 0
    let anyDead = false
    for (let node = queues.first(address), next = 0; node !== 0; node = next) {
      // One of this thread's own asynchronous waiters is gone once it is granted.
      next = queues.after(node)
      const isLiving = queues.isLiving(node)
      if (queues.asks(node) === generation) {
        arrived++
        last = node
        if (!isLiving) anyDead = true
      } else if (!isLiving) waiting.drop(node)
      else if (!queues.isGranted(node)) queues.grant(node, passage(address, ended, node))
    }
    return { arrived, last, anyDead }
  }

  function passage(address: number, ended: number, node: WaitNode): Passage {
    if (ended & BROKEN) return Passage.broken
    return memory.get(address + LEADER) === node ? Passage.leader : Passage.passed
  }

  function end(address: number, broken: number, leader: WaitNode): void {
    memory.set(address + LEADER, leader)
    memory.store(address + GENERATION, (((memory.get(address + GENERATION) >>> 1) + 1) << 1) | broken)
    present(address)
  }

  /** Goes inside the guard and ends what is to be ended; gives the generation that is the present one then. */
  function enter(address: number): number {
    waiting.enter(address)
    // Who arrives now isn't one of those that a death before has broken.
    serve(address)
    return memory.get(address + GENERATION) >>> 1
  }

  /** Arrives, and blocks until n have. */
  function waitSync(address: number, options: BlockOptions): { passage: Passage; generation: number } {
    const generation = enter(address)
    const passage = waiting.block(address, { kind: KIND, asks: generation }, options) as Passage
    return { passage, generation }
  }

  /** Arrives; the waiter is granted once n have. Gives the node to withdraw the arrival by. */
  function enqueue(
    address: number,
    waiter: { granted(end: { passage: Passage; generation: number }): void },
  ): WaitNode {
    const generation = enter(address)
    const inner: AsyncWaiter = { granted: (passage) => waiter.granted({ passage: passage as Passage, generation }) }
    return waiting.enqueue(address, { kind: KIND, asks: generation }, inner)
  }

  /** How many have arrived and wait. */
  function arrived(address: number): number {
    enter(address)
    const { arrived } = present(address)
    waiting.leave()
    return arrived
  }

  return { waitSync, enqueue, withdraw: waiting.withdraw, arrived }
}
