/**
 * The algorithm of `Once`: which of the threads that come runs, and how the others wait for it.
 *
 *   +0  word          +4  what became of it: the address of a value (core's `codec.ts`), 0 without one
 *
 *   word       state                              who comes
 *   0          nobody has run                     → n, and runs
 *   n          the thread n runs                  waits in the queue
 *   n          n is dead                          → m, and runs, told that it was abandoned
 *   SUCCEEDED  there is a result                  reads it
 *   FAILED     there is an error                  reads it
 *
 * The word is read without the guard, and written inside it only. It never goes back, except from one
 * thread that runs to the next, at its death.
 *
 * Who waits while a thread runs need not be woken before that has finished, and then all are: there is no
 * order to keep. A death wakes everybody (core), and the first who then looks, of those who wait and those
 * who come, takes the dead thread's place.
 *
 * Invariants
 * - What +4 says is written before SUCCEEDED or FAILED, by the thread that runs, and never again.
 * - A waiter who is to run gets that by the same step as the word gets his thread's id: if he dies then, the
 *   word says so. He is awake at that time, as `serve` lets only the running thread's own node run.
 */
import type { ThreadId } from '@flatshare/core'
import type { AsyncWaiter } from './awaiting.js'
import type { BlockOptions } from './blocking.js'
import { grantAll } from './grant-all.js'
import type { WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a once takes. Its bytes are zero at first. */
export const ONCE_BYTES = 16

/** What a thread that comes is to do. */
export const Turn = {
  /** Read what became of it. The result of a grant to all. */
  finished: 0,
  run: 1,
  /** Run, after a thread that died while it ran. */
  runAbandoned: 2,
  wait: 3,
} as const
export type Turn = (typeof Turn)[keyof typeof Turn]

const VALUE = 4
const KIND = 8

// No thread's id is as great, or negative.
const SUCCEEDED = 0x40000000
const FAILED = 0x80000000 | 0

/** The functions of a once over a memory. */
export function makeOnce(waiting: Waiting) {
  const { queues } = waiting
  const { memory } = queues

  waiting.register(KIND, {
    serve,
    holders(address) {
      const runner = runnerOf(address)
      return runner === 0 ? [] : [runner]
    },
  })

  const hasFinished = (word: number): boolean => word === SUCCEEDED || word === FAILED

  /** The thread that runs, or died running; 0 where none has, or it has finished. */
  function runnerOf(address: number): ThreadId {
    const word = memory.load(address)
    return hasFinished(word) ? 0 : word
  }

  /** What a thread that comes, or looks again, finds by the word; inside the guard. */
  function turnBy(word: number): Turn {
    if (hasFinished(word)) return Turn.finished
    if (word === 0) return Turn.run
    return memory.isAlive(word) ? Turn.wait : Turn.runAbandoned
  }

  /** The turn of this thread, which runs from now on if it is to run. Inside the guard. */
  function take(address: number): Turn {
    const turn = turnBy(memory.load(address))
    if (turn === Turn.run || turn === Turn.runAbandoned) memory.store(address, memory.ownThreadId())
    return turn
  }

  /** The turn of this thread, without waiting. */
  function tryStart(address: number): Turn {
    waiting.enter(address)
    const turn = take(address)
    waiting.leave()
    return turn
  }

  /** The turn of this thread; blocks while another one runs. */
  function startSync(address: number, options: BlockOptions): Turn {
    waiting.enter(address)
    const turn = take(address)
    if (turn === Turn.wait) return waiting.block(address, { kind: KIND }, options) as Turn
    waiting.leave()
    return turn
  }

  /** Queues an asynchronous waiter, who is granted his turn; gives the node to withdraw it by. */
  function enqueue(address: number, waiter: AsyncWaiter): WaitNode {
    waiting.enter(address)
    return waiting.enqueue(address, { kind: KIND }, waiter)
  }

  function serve(address: number, self: WaitNode): void {
    const turn = turnBy(memory.load(address))
    if (turn === Turn.finished) grantAll(waiting, address)
    else if (turn !== Turn.wait && self !== 0) queues.grantWith(self, memory.ownThreadId(), turn)
  }

  /** Says what became of it. Only the thread that runs may. */
  function finish(address: number, value: number, succeeded: boolean): void {
    waiting.enter(address)
    memory.store(address + VALUE, value)
    memory.store(address, succeeded ? SUCCEEDED : FAILED)
    grantAll(waiting, address)
    waiting.leave()
  }

  /** What became of it, or undefined where that isn't known yet. Needs no guard. */
  function outcomeOf(address: number): { readonly succeeded: boolean; readonly value: number } | undefined {
    const word = memory.load(address)
    return hasFinished(word) ? { succeeded: word === SUCCEEDED, value: memory.load(address + VALUE) } : undefined
  }

  return { tryStart, startSync, enqueue, withdraw: waiting.withdraw, finish, outcomeOf, runnerOf }
}
