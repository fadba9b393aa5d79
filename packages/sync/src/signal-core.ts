/**
 * The algorithm of `Signal`: an event that threads wait for.
 *
 *   +0  word     +4  a node whose grant is being taken back, 0 if none     +8  deaths, when the queue was last searched
 *
 *   word   state                  set                            reset   wait
 *   0      manual, not set        → S, grants all                –       queue
 *   S      manual, set            –                              → 0     go
 *   A      automatic, not set     grants one, or → A S           –       queue
 *   A S    automatic, set         – (counts as one)              → A     → A, go
 *
 * (S: SET, A: AUTOMATIC.) The word is changed inside the guard only; a manual signal that is set is passed
 * by a load.
 *
 * A waiter goes because it was granted, never because it finds the word set later: so one that waits when a
 * manual signal is set goes, though it is reset before its thread has run.
 *
 * An automatic signal is granted in the order of arrival, except that an asynchronous waiter whose thread is
 * blocked is passed over, if somebody else waits who can go at once. (That may be the very same thread,
 * which blocks for the signal that its own asynchronous waiter came for first.) If a thread blocks
 * before its waiter could see the grant, that goes to another who can go at once, if there is one.
 *
 * Deaths
 * - `set` stores the word first; what it grants then can be granted by anybody who serves. All that change
 *   the word serve before, so a set that died half-way is finished, and not counted as one with the next.
 * - An automatic signal leaves the word in the same step (the queue's journal) as it is granted, and
 *   comes back in the same step as the granted node of a dead thread is dropped. So each is in one place.
 * - Taking a grant back takes two stores. The node is written at +4 before, and who comes
 *   into the guard after a death there does both again.
 * - Dead nodes lie anywhere in the queue. It is searched for them when there were deaths since the last
 *   search; the number of deaths is read before, so none is missed.
 *
 * Invariants, outside of the guard
 * - While a signal is set, nobody waits; except asynchronous waiters of a thread that was about to block when
 *   it found what a dead thread left. They are woken, and served by whoever comes next.
 * - +4 is 0.
 */

import type { AsyncWaiter } from './awaiting.js'
import type { BlockOptions } from './blocking.js'
import { grantAll } from './grant-all.js'
import { NODE_BYTES, type WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a signal takes. Its first word is 0 or AUTOMATIC, with SET or without; the others are zero at first. */
export const SIGNAL_BYTES = 16

/** In a signal's word: it is set. */
export const SET = 1
/** In a signal's word: each set lets one go. */
export const AUTOMATIC = 0x40000000

const TAKEN_BACK = 4
const SEARCHED = 8
const KIND = 5
const request = { kind: KIND }

/** The functions of a signal over a memory. */
export function makeSignal(waiting: Waiting) {
  const { queues } = waiting
  const { memory } = queues

  waiting.register(KIND, {
    serve,
    giveBack(address, node) {
      if (!(memory.get(address) & AUTOMATIC)) return
      serve(address)
      const other = firstAwake(address)
      if (other === 0) return
      memory.set(address + TAKEN_BACK, node)
      takeBack(address)
      queues.grantWith(other, AUTOMATIC)
    },
  })

  function serve(address: number): void {
    takeBack(address)
    // Before anything that sets it: twice set would count as once.
    grant(address)
    dropDead(address)
  }

  /** Lets go whom a signal that is set lets go. */
  function grant(address: number): void {
    const word = memory.get(address)
    if (word === SET) grantAll(waiting, address)
    else if (word & SET) grantOne(address)
  }

  /** Takes back the grant of the node that is noted for it. */
  function takeBack(address: number): void {
    const node = memory.get(address + TAKEN_BACK)
    if (node === 0) return
    memory.reach(node + NODE_BYTES)
    queues.waitOn(node)
    memory.store(address, AUTOMATIC | SET)
    memory.set(address + TAKEN_BACK, 0)
  }

  /** Drops the nodes of the dead, and grants to others what they had been granted. */
  function dropDead(address: number): void {
    const deaths = memory.deaths()
    if (deaths === memory.get(address + SEARCHED)) return
    for (let node = firstDead(address); node !== 0; node = firstDead(address)) {
      if (queues.isGranted(node) && memory.get(address) & AUTOMATIC) {
        queues.dropWith(node, AUTOMATIC | SET)
        grant(address)
      } else waiting.drop(node)
    }
    memory.set(address + SEARCHED, deaths)
  }

  function firstDead(address: number): WaitNode {
    let node = queues.first(address)
    while (node !== 0 && queues.isLiving(node)) node = queues.after(node)
    return node
  }

  /** Grants an automatic signal that is set, if somebody waits who can have it. */
  function grantOne(address: number): void {
    const node = firstAwake(address) || firstBlocked(address)
    if (node !== 0) queues.grantWith(node, AUTOMATIC)
  }

  /** The first waiter whose thread is awake, or blocks for this. */
  function firstAwake(address: number): WaitNode {
    let node = queues.first(address)
    while (node !== 0 && (queues.isGranted(node) || !canGo(node))) node = queues.after(node)
    return node
  }

  /** The first waiter of another thread. One of this thread would have it at once, and couldn't go with it. */
  function firstBlocked(address: number): WaitNode {
    let node = queues.first(address)
    while (node !== 0 && (queues.isGranted(node) || isOwn(node))) node = queues.after(node)
    return node
  }

  /** Whether a waiter's thread is awake, or will give back what it is granted before it blocks. */
  function canGo(node: WaitNode): boolean {
    if (!queues.isAsync(node)) return true
    const thread = queues.threadOf(node)
    if (isOwn(node)) {
      if (!memory.isParked(thread)) return true
      // About to block: it looks again when it is back.
      queues.wakeUp(node)
      return false
    }
    if (memory.isParked(thread)) return false
    // A thread says that it parks, then looks into its inbox: either it finds this there, or is seen to park.
    queues.wakeUp(node)
    return !memory.isParked(thread)
  }

  function isOwn(node: WaitNode): boolean {
    return queues.threadOf(node) === memory.ownThreadId()
  }

  function set(address: number): void {
    if (memory.load(address) === SET) return
    waiting.enter(address)
    serve(address)
    memory.store(address, memory.get(address) | SET)
    grant(address)
    waiting.leave()
  }

  function reset(address: number): void {
    waiting.enter(address)
    serve(address)
    memory.store(address, memory.get(address) & ~SET)
    waiting.leave()
  }

  /** Whether it is set. */
  function isSet(address: number): boolean {
    const word = memory.load(address)
    if (!(word & AUTOMATIC)) return word === SET
    waiting.enter(address)
    // What a dead thread was granted may be to be had.
    serve(address)
    const isSet = (memory.get(address) & SET) !== 0
    waiting.leave()
    return isSet
  }

  /** Goes if the signal is set; inside the guard. */
  function take(address: number): boolean {
    serve(address)
    const word = memory.get(address)
    if (!(word & SET)) return false
    if (word & AUTOMATIC) memory.store(address, AUTOMATIC)
    return true
  }

  /** Goes if the signal is set. */
  function tryWait(address: number): boolean {
    const word = memory.load(address)
    if (!(word & AUTOMATIC)) return word === SET
    waiting.enter(address)
    const taken = take(address)
    waiting.leave()
    return taken
  }

  /** Blocks until the signal lets this thread go. */
  function waitSync(address: number, options: BlockOptions): void {
    if (memory.load(address) === SET) return
    waiting.enter(address)
    if (take(address)) waiting.leave()
    else waiting.block(address, request, options)
  }

  /** Queues an asynchronous waiter, who may be granted at once; gives the node to withdraw it by, 0 for one that was. */
  function enqueue(address: number, waiter: AsyncWaiter): WaitNode {
    waiting.enter(address)
    if (!take(address)) return waiting.enqueue(address, request, waiter)
    waiting.leave()
    waiter.granted(0)
    return 0
  }

  return { set, reset, isSet, tryWait, waitSync, enqueue, withdraw: waiting.withdraw }
}
