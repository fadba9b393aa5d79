/**
 * The algorithm of `Semaphore`: permits that threads take, several at once if they ask for that, and give back.
 *
 *   semaphore   +0 used   +4 first record   +8 deaths, when they were last settled   +12 whether the next is to be told of one
 *   record      +0 thread (0: nobody's)   +4 held   +8 next
 *
 *   used    permits taken and not given back; below 0 when more were given than taken: signals. Free are
 *           the permits that it was made with, which each thread knows, less `used`. So zeros are a new one.
 *   record  what a thread holds: one for each thread that ever took a permit, never unlinked; a new thread
 *           takes that of a dead one.
 *
 *   take     used + n; then held + n
 *   give     held − n: the giver's; what he doesn't hold counts against those that hold most; then used − n
 *   grant    used + n and the node's grant in one step (the queue's journal); held + n when its thread sees it
 *
 * All of it happens inside the guard. Order: who has to wait is queued, and nobody passes a waiter who could
 * go on, not even with fewer permits, and not by trying; so the heaviest gets his turn. All that there is
 * enough for are served at once, from the front. An asynchronous waiter is not granted by other threads but
 * woken, and its permits are left lying for it: it takes them when its thread looks. If that thread is
 * blocked, it can't come; so it is passed over, and looks when it is back. It is woken before its thread is
 * seen not to be blocked, and a thread that blocks serves anew what its own waiters were woken for
 * (`awaiting.ts`): so one of the two sees the other, and the permits don't lie idle.
 *
 * Deaths
 * - L is what living threads hold by their records, and were granted and have not seen. Then permits in
 *   circulation are free + L + what the dead hold. Once deaths have changed, `used` becomes the lesser of
 *   `used` and L: what the dead held comes back, as far as that doesn't make more than it was made with.
 *   Signals that they used up don't come back.
 * - It is one store, it may be repeated, and it needs nothing of what a dead thread was changing: whoever
 *   dies between two stores leaves `used` too high, by what it was taking or giving. Never too low, so
 *   nobody gets in by mistake until it is settled.
 * - What was granted to a thread that dies before it has seen it comes back exactly, signal or not: with its
 *   node, in one step. One of the running thread's own asynchronous waiters is granted first and charged
 *   then; its node says so (UNCHARGED), and if that is found, nothing comes back.
 * - That a holder died is noted before its record is cleared, and forgotten after the next one was told: it
 *   may be told twice, if a thread dies just then.
 *
 * Invariants, outside of the guard
 * - Free is never less than 0. Once the deaths are settled, used ≤ L: no permit is lost; used < L by signals only.
 * - Who waits and could go on is granted or woken.
 *
 * After tokio's batch semaphore for weights in line, and robust POSIX mutexes for the dead.
 */

import type { BlockOptions } from './blocking.js'
import type { Outcome } from './lock.js'
import type { WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a semaphore takes; zero at first. */
export const SEMAPHORE_BYTES = 16

/** More permits can't be, nor be asked for. */
export const MAX_PERMITS = 2 ** 27

const RECORDS = 4
const DEATHS = 8
const TOLD_OF_DEATH = 12

const RECORD_BYTES = 16
const THREAD = 0
const HELD = 4
const NEXT = 8

const KIND = 3

/** In a result: the taker is to be told that a holder died. */
const ABANDONED = 1
/** In a result: `used` may not count it yet. */
const UNCHARGED = 2

const outcomeOf = (result: number): Outcome => (result & ABANDONED ? 'abandoned' : 'acquired')

/** What this thread knows of a semaphore. */
export interface Seat {
  readonly address: number
  /** What it was made with. */
  readonly permits: number
  /** This thread's record; 0 before it takes its first permit. */
  record: number
}

/** The functions of a semaphore over a memory. */
export function makeSemaphore(waiting: Waiting) {
  const { queues } = waiting
  const { memory } = queues
  const seats = new Map<number, Seat>()

  waiting.register(KIND, { serve, seen })

  /** What the other functions take: this thread's seat at a semaphore that was made with so many permits. */
  function attach(address: number, permits: number): Seat {
    let seat = seats.get(address)
    if (!seat) seats.set(address, (seat = { address, permits, record: 0 }))
    return seat
  }

  /** Takes permits if that needs no waiting, and passes nobody who waits. */
  function tryAcquire(seat: Seat, weight: number): Outcome | undefined {
    enter(seat)
    const outcome = takeNow(seat, weight)
    waiting.leave()
    return outcome
  }

  /** Takes permits, blocking until there are enough. */
  function acquireSync(seat: Seat, weight: number, options: BlockOptions): Outcome {
    enter(seat)
    const outcome = takeNow(seat, weight)
    if (outcome === undefined) return outcomeOf(waiting.block(seat.address, { kind: KIND, asks: weight }, options))
    waiting.leave()
    return outcome
  }

  /** Queues an asynchronous waiter; gives the node to withdraw it by. */
  function enqueue(seat: Seat, weight: number, waiter: { granted(outcome: Outcome): void }): WaitNode {
    enter(seat)
    return waiting.enqueue(
      seat.address,
      { kind: KIND, asks: weight },
      { granted: (result) => waiter.granted(outcomeOf(result)) },
    )
  }

  /** Gives permits back, or gives signals; false, and nothing, where there would be more than can be. `died`: their holder. */
  function release(seat: Seat, weight: number, died = false): boolean {
    const { address, record } = seat
    waiting.enter(address)
    settle(address)
    const used = memory.get(address)
    const fits = seat.permits - used + weight <= MAX_PERMITS
    if (fits) {
      let rest = record === 0 ? weight : weight - letGo(record, weight)
      while (rest > 0) {
        const other = heaviest(address)
        if (other === 0) break
        rest -= letGo(other, rest)
      }
      if (died) memory.set(address + TOLD_OF_DEATH, ABANDONED)
      memory.set(address, used - weight)
      if (queues.first(address) !== 0) serveSettled(seat, 0)
    }
    waiting.leave()
    return fits
  }

  /** Takes up to so many permits off a record; gives how many. */
  function letGo(record: number, weight: number): number {
    const held = memory.get(record + HELD)
    const part = Math.min(weight, held)
    memory.set(record + HELD, held - part)
    return part
  }

  /** How many permits are free. */
  function available(seat: Seat): number {
    waiting.enter(seat.address)
    settle(seat.address)
    const free = freeOf(seat)
    waiting.leave()
    return free
  }

  /** Enters the guard, with a record of this thread. */
  function enter(seat: Seat): void {
    if (seat.record === 0) seat.record = takeRecord(seat.address)
    waiting.enter(seat.address)
    settle(seat.address)
  }

  function takeRecord(address: number): number {
    waiting.enter(address)
    settle(address)
    let record = memory.get(address + RECORDS)
    while (record !== 0 && memory.get(reached(record) + THREAD) !== 0) record = memory.get(record + NEXT)
    if (record === 0) {
      // Not inside: the allocator has a lock of its own.
      waiting.leave()
      record = memory.allocate(RECORD_BYTES)
      waiting.enter(address)
      memory.set(record + THREAD, memory.ownThreadId())
      memory.set(record + NEXT, memory.get(address + RECORDS))
      memory.set(address + RECORDS, record)
    } else {
      memory.set(record + HELD, 0)
      memory.set(record + THREAD, memory.ownThreadId())
    }
    waiting.leave()
    return record
  }

  function reached(record: number): number {
    memory.reach(record + RECORD_BYTES)
    return record
  }

  /** Of the records, the one that holds most; 0 where none holds anything. */
  function heaviest(address: number): number {
    let found = 0
    let most = 0
    for (let record = memory.get(address + RECORDS); record !== 0; record = memory.get(record + NEXT)) {
      const held = memory.get(reached(record) + THREAD) === 0 ? 0 : memory.get(record + HELD)
      if (held > most) {
        most = held
        found = record
      }
    }
    return found
  }

  function takeNow(seat: Seat, weight: number): Outcome | undefined {
    const { address, record } = seat
    if (freeOf(seat) < weight || isAwaited(address)) return undefined
    memory.set(address, memory.get(address) + weight)
    memory.set(record + HELD, memory.get(record + HELD) + weight)
    return outcomeOf(tell(address))
  }

  /** Whether the next is to be told of a death; he is taken to be told now. */
  function tell(address: number): number {
    const told = memory.get(address + TOLD_OF_DEATH)
    if (told !== 0) memory.set(address + TOLD_OF_DEATH, 0)
    return told
  }

  /** Whether somebody waits who can come. */
  function isAwaited(address: number): boolean {
    for (let node = livingFrom(address, queues.first(address)); node !== 0; node = livingAfter(address, node)) {
      if (!queues.isGranted(node) && !(queues.isAsync(node) && memory.isParked(queues.threadOf(node)))) return true
    }
    return false
  }

  function serve(address: number, self: WaitNode): void {
    settle(address)
    serveSettled(seats.get(address)!, self)
  }

  /** Serves from the front as long as there is enough. */
  function serveSettled(seat: Seat, self: WaitNode): void {
    const { address } = seat
    let free = freeOf(seat)
    let node = livingFrom(address, queues.first(address))
    while (node !== 0) {
      // One of this thread's own asynchronous waiters is gone once it is granted.
      const next = livingAfter(address, node)
      if (!queues.isGranted(node)) {
        const weight = queues.asks(node)
        if (weight > free) return
        if (!queues.isAsync(node)) grant(address, node, weight)
        else if (isAwake(node, self)) grantOwn(address, node, weight)
        else {
          queues.wakeUp(node)
          if (isOwn(node) || memory.isParked(queues.threadOf(node))) {
            node = next
            continue
          }
        }
        free -= weight
      }
      node = next
    }
  }

  function grant(address: number, node: WaitNode, weight: number): void {
    queues.grantWith(node, memory.get(address) + weight, memory.get(address + TOLD_OF_DEATH))
    tell(address)
  }

  function grantOwn(address: number, node: WaitNode, weight: number): void {
    queues.grant(node, UNCHARGED | memory.get(address + TOLD_OF_DEATH))
    memory.set(address, memory.get(address) + weight)
    tell(address)
  }

  function isOwn(node: WaitNode): boolean {
    return queues.threadOf(node) === memory.ownThreadId()
  }

  /** Whether an asynchronous waiter is of this thread, and that isn't about to block. */
  function isAwake(node: WaitNode, self: WaitNode): boolean {
    return isOwn(node) && (self === 0 ? !memory.isParked(memory.ownThreadId()) : queues.isAsync(self))
  }

  /** The thread of a granted node has seen it: from now on it holds by its record. */
  function seen(address: number, node: WaitNode): void {
    const { record } = seats.get(address)!
    memory.set(record + HELD, memory.get(record + HELD) + queues.asks(node))
  }

  function freeOf({ address, permits }: Seat): number {
    return permits - memory.get(address)
  }

  /** `node`, or the first one behind it whose thread lives; what comes before is dropped. */
  function livingFrom(address: number, node: WaitNode): WaitNode {
    let at = node
    while (at !== 0 && !queues.isLiving(at)) {
      const next = queues.after(at)
      drop(address, at)
      at = next
    }
    return at
  }

  function livingAfter(address: number, node: WaitNode): WaitNode {
    return livingFrom(address, queues.after(node))
  }

  /** Takes a dead thread's node out; what it was granted comes back. */
  function drop(address: number, node: WaitNode): void {
    const result = queues.isGranted(node) ? queues.resultOf(node) : UNCHARGED
    if (result & UNCHARGED) {
      waiting.drop(node)
      return
    }
    if (result & ABANDONED) memory.set(address + TOLD_OF_DEATH, ABANDONED)
    queues.dropWith(node, memory.get(address) - queues.asks(node))
  }

  /** Takes back what the dead held, if there were deaths. */
  function settle(address: number): void {
    const deaths = memory.deaths()
    if (deaths === memory.get(address + DEATHS)) return
    let living = 0
    for (let node = livingFrom(address, queues.first(address)); node !== 0; node = livingAfter(address, node)) {
      if (queues.isGranted(node)) living += queues.asks(node)
    }
    for (let record = memory.get(address + RECORDS); record !== 0; record = memory.get(record + NEXT)) {
      const thread = memory.get(reached(record) + THREAD)
      const held = thread === 0 ? 0 : memory.get(record + HELD)
      if (thread !== 0 && !memory.isAlive(thread)) {
        if (held > 0) memory.set(address + TOLD_OF_DEATH, ABANDONED)
        memory.set(record + THREAD, 0)
      } else living += held
    }
    if (living < memory.get(address)) memory.set(address, living)
    memory.set(address + DEATHS, deaths)
  }

  return { attach, tryAcquire, acquireSync, enqueue, release, available, withdraw: waiting.withdraw }
}
