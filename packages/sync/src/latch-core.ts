/**
 * The algorithm of `Latch`: a count that goes down to 0, and those who wait for that.
 *
 *   word    state        count down by n ≤ word                            wait
 *   c > 0   closed       → c − n, by compare-exchange; at 0 wake all       queue
 *   0       open         –                                                 go
 *
 * Counting needs no guard, for the word only falls, and 0 is its last value. Who brings it to 0 goes inside
 * the guard afterwards, and grants all that are queued.
 *
 * No waiter is left behind: one that queues looks at the word inside the guard, after it is linked. If it
 * looks before the word is 0, the one who brings it to 0 comes inside later, and finds it. If that one dies
 * on the way, the death makes whoever waits look again (`wait-queue.ts`), and the word is 0.
 */

import type { AsyncWaiter } from './awaiting.js'
import type { BlockOptions } from './blocking.js'
import { grantAll } from './grant-all.js'
import type { WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a latch takes. */
export const LATCH_BYTES = 16

const KIND = 7
const request = { kind: KIND }

/** The functions of a latch over a memory. Its word is the count at first. */
export function makeLatch(waiting: Waiting) {
  const { memory } = waiting.queues

  waiting.register(KIND, { serve })

  /** Counts down; false, and nothing, where fewer are left. */
  function countDown(address: number, by: number): boolean {
    for (;;) {
      const count = memory.load(address)
      if (by > count) return false
      if (memory.compareExchange(address, count, count - by) !== count) continue
      if (count === by) open(address)
      return true
    }
  }

  function open(address: number): void {
    waiting.enter(address)
    serve(address)
    waiting.leave()
  }

  function serve(address: number): void {
    if (isOpen(address)) grantAll(waiting, address)
  }

  /** How many are to come yet. */
  function countOf(address: number): number {
    return memory.load(address)
  }

  function isOpen(address: number): boolean {
    return memory.load(address) === 0
  }

  /** Blocks until the latch is open. */
  function waitSync(address: number, options: BlockOptions): void {
    if (isOpen(address)) return
    waiting.enter(address)
    waiting.block(address, request, options)
  }

  /** Queues an asynchronous waiter; gives the node to withdraw it by. */
  function enqueue(address: number, waiter: AsyncWaiter): WaitNode {
    waiting.enter(address)
    return waiting.enqueue(address, request, waiter)
  }

  return { countDown, countOf, isOpen, waitSync, enqueue, withdraw: waiting.withdraw }
}
