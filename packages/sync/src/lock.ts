/**
 * The lock that everything else is made of: 16 bytes at an address of the arena.
 *
 *   +0   owner word     what the lock is; blocking waiters park on it
 *   +4   async word     async waiters sleep on it; raised by each unlock that finds any
 *   +8   depth          its owner's, written plainly; 0 when the lock is handed over as abandoned
 *   +12  async threads  how many threads have async waiters here
 *
 * The owner word, flags as in core's `park.ts` (C: CONTENDED, D: OWNER_DIED, n: a thread's id):
 *
 *   word     state                         lock                      unlock by n
 *   0        free                          → n                       –
 *   D        free, its state half-changed  → n, 'abandoned'          –
 *   n        held, nobody sleeps           wait: → n C, sleep        → 0
 *   n C      held, somebody may sleep      wait: sleep               → 0, then wake
 *   n [C]    n is dead                     → m [C], 'abandoned'      –
 *   n D [C]  n is dead, marked as such     → m [C], 'abandoned'      –
 *
 * Lock: compare-exchange 0 → own id; else spin a while; else set C, and sleep while the word stays so.
 * Unlock: exchange for 0; if C was set, wake one blocking waiter and all async ones. Who unlocks and who
 * locks next don't know of each other: anybody may barge in.
 *
 * Invariants
 * - Who sleeps has seen C set, on a word with a living owner, since he last was awake. (Else an unlock
 *   would pass him by.)
 * - Each unlock of a word with C wakes one blocking waiter, and the others rely on that one: so from then
 *   on it takes the lock with C, and doesn't leave, for whatever reason, before it has set C again.
 * - Nobody relies on an async waiter: all of them are woken, since any of their threads may be blocked.
 * - The death of a thread wakes everybody (core), for it may have been the one that was relied on.
 * - A dead owner's word is replaced by compare-exchange of that very word, so exactly one gets it.
 *
 * Async waiters of a thread form one queue for each lock. Only its head contends, by an async sleep that
 * belongs to the queue: when a waiter is served or gives up, the next one inherits it. An unlock on this
 * thread gives its own queue a try at once, without a detour through the async word; not for longer than
 * `HANDOVER_MS` in a row, or the other threads would starve.
 *
 * Fairness: async waiters of one thread are served in order; threads, and blocking waiters, race.
 *
 * After "Futexes Are Tricky" (Drepper) for the word, parking_lot for barging and adaptive spinning, and
 * robust POSIX mutexes for dead owners.
 */
import { CannotBlockError, DeadlockError } from '@flatshare/core'
import { CONTENDED, OWNER_DIED, OWNER_MASK, type ThreadId, threadName, timeoutError } from '@flatshare/core/internal'
import { findCycle } from './deadlock.js'
import type { LockMemory } from './lock-memory.js'

/** What a lock takes. Its address is a multiple of 4 and its bytes are zero at first. */
export const LOCK_BYTES = 16

const ASYNC_WORD = 4
const DEPTH = 8
const ASYNC_THREADS = 12

const HANDOVER_MS = 0.5

/** How a lock came to its holder: `'abandoned'` says that a holder died, and what the lock guards may be half-changed. */
export type Outcome = 'acquired' | 'abandoned'

/** Somebody who waits without blocking. */
export interface AsyncWaiter {
  /** The lock is his. Must not throw. */
  granted(outcome: Outcome): void
}

/** The async waiters of this thread for one lock. */
interface Queue {
  readonly address: number
  readonly waiters: AsyncWaiter[]
  /** The queue's sleep on the async word has not ended. */
  asleep: boolean
  /** A try is due when the running code returns. */
  kicked: boolean
  /** Since when the lock has gone from one waiter of this thread to the next. */
  handoverSince: number
}

/** The lock's functions over a memory. */
export function makeLock(memory: LockMemory) {
  const queues = new Map<number, Queue>()
  /** About how many loads a lock was waited for with success, of late. */
  let usualSpins = 0

  function tryAcquire(address: number): Outcome | 'held' {
    const me = memory.ownThreadId()
    const word = memory.compareExchange(address, 0, me)
    return word === 0 ? 'acquired' : tryAcquireSlow(address, word, me)
  }

  function tryAcquireSlow(address: number, seen: number, me: ThreadId): Outcome | 'held' {
    for (let word = seen; ; word = memory.load(address)) {
      const outcome = take(address, word, me, 0)
      if (outcome !== 'lost') return outcome
    }
  }

  /** Takes a lock that is free or its owner dead, by the word that was seen; `'lost'` when that has changed. */
  function take(address: number, word: number, me: ThreadId, flag: number): Outcome | 'held' | 'lost' {
    const owner = word & OWNER_MASK
    const died = (word & OWNER_DIED) !== 0
    if (owner !== 0 && !died && (owner === me || memory.isAlive(owner))) return 'held'
    if (memory.compareExchange(address, word, me | (word & CONTENDED) | flag) !== word) return 'lost'
    if (owner === 0 && !died) return 'acquired'
    memory.store(address + DEPTH, 0)
    return 'abandoned'
  }

  function acquireSync(address: number, options?: { timeout?: number; what?: () => string }): Outcome {
    const me = memory.ownThreadId()
    if (memory.compareExchange(address, 0, me) === 0) return 'acquired'
    return acquireSyncSlow(address, me, options?.timeout ?? Infinity, options?.what ?? (() => `lock ${address}`))
  }

  function acquireSyncSlow(address: number, me: ThreadId, timeout: number, what: () => string): Outcome {
    if ((memory.load(address) & OWNER_MASK) === me) throw ownLock(me, what())
    const end = timeout === Infinity ? Infinity : memory.now() + timeout
    const spun = spin(address, me)
    if (spun !== 'held') return spun
    if (!memory.canBlock()) throw cannotBlock(address, me, what())
    // Once this thread has slept, others may rely on it: see the invariants.
    let relied = 0
    for (;;) {
      const word = memory.load(address)
      const outcome = take(address, word, me, relied)
      if (outcome === 'lost') continue
      if (outcome !== 'held') return outcome
      const left = end === Infinity ? Infinity : end - memory.now()
      if (left <= 0 && relied === 0) throw timedOut(address, me, timeout, what())
      if (!(word & CONTENDED) && memory.compareExchange(address, word, word | CONTENDED) !== word) continue
      if (left <= 0) throw timedOut(address, me, timeout, what())
      const holder = word & OWNER_MASK
      const text = what()
      const worthSleeping = () => {
        refuseCycle(address, me, what)
        return memory.isAlive(holder)
      }
      memory.park(address, word | CONTENDED, left, worthSleeping, text)
      relied = CONTENDED
    }
  }

  /** Waits for the lock without giving up the core, about as long as that has paid of late. */
  function spin(address: number, me: ThreadId): Outcome | 'held' {
    const limit = Math.min(memory.spins, usualSpins * 2 + 50)
    let spins = 0
    for (; spins < limit; spins++) {
      const word = memory.load(address)
      if (word & OWNER_DIED) break
      if (word !== 0) continue
      if (memory.compareExchange(address, 0, me) === 0) {
        usualSpins += (spins - usualSpins) / 8
        return 'acquired'
      }
    }
    usualSpins -= usualSpins / 8
    return memory.spins > 0 ? tryAcquire(address) : 'held'
  }

  function refuseCycle(address: number, me: ThreadId, what: () => string): void {
    const cycle = findCycle(memory, me, address, what)
    if (!cycle) return
    const links = cycle.map(({ thread, what }, i) => {
      const holder = cycle[(i + 1) % cycle.length]!.thread
      return `"${threadName(thread)}" waits for ${what || 'a lock'}, held by "${threadName(holder)}"`
    })
    throw new DeadlockError(`These threads wait for each other for ever: ${links.join('; ')}.`, { cycle: links })
  }

  /** Queues an async waiter. */
  function enqueue(address: number, waiter: AsyncWaiter): void {
    const queue = queues.get(address)
    if (queue) {
      queue.waiters.push(waiter)
      return
    }
    const fresh: Queue = { address, waiters: [waiter], asleep: false, kicked: false, handoverSince: 0 }
    queues.set(address, fresh)
    // Before C is set: the unlock that finds C must find this too.
    memory.add(address + ASYNC_THREADS, 1)
    contend(fresh)
  }

  /** Takes a waiter out of the queue; false where the lock is his already. */
  function withdraw(address: number, waiter: AsyncWaiter): boolean {
    const queue = queues.get(address)
    const index = queue ? queue.waiters.indexOf(waiter) : -1
    if (index < 0) return false
    queue!.waiters.splice(index, 1)
    if (queue!.waiters.length === 0) retire(queue!)
    return true
  }

  /** Gives the lock to the head of the queue, or goes to sleep for it. */
  function contend(queue: Queue, handover = false): void {
    const { address, waiters } = queue
    const me = memory.ownThreadId()
    while (waiters.length > 0) {
      // Before the owner word: an unlock after C was set changes it.
      const seen = memory.load(address + ASYNC_WORD)
      const word = memory.load(address)
      const outcome = take(address, word, me, waiters.length > 1 ? CONTENDED : 0)
      if (outcome === 'lost') continue
      if (outcome !== 'held') {
        if (!handover) queue.handoverSince = 0
        waiters.shift()!.granted(outcome)
        continue
      }
      if (!(word & CONTENDED) && memory.compareExchange(address, word, word | CONTENDED) !== word) continue
      sleep(queue, seen)
      return
    }
    retire(queue)
  }

  function sleep(queue: Queue, seen: number): void {
    // A sleep from before that has not ended either will be woken by the next unlock, or has been already.
    if (queue.asleep) return
    queue.asleep = true
    memory.sleepAsync(queue.address + ASYNC_WORD, seen, () => {
      queue.asleep = false
      if (queue.waiters.length > 0) contend(queue)
    })
  }

  function retire(queue: Queue): void {
    queues.delete(queue.address)
    memory.add(queue.address + ASYNC_THREADS, -1)
    if (queue.asleep) memory.wakeOwn(queue.address + ASYNC_WORD)
  }

  function release(address: number): void {
    const word = memory.exchange(address, 0)
    if (word & ~OWNER_MASK) wake(address, word)
  }

  function releaseUnmended(address: number): void {
    const word = memory.exchange(address, OWNER_DIED)
    if (word & ~OWNER_MASK) wake(address, word)
  }

  function wake(address: number, word: number): void {
    if (!(word & CONTENDED)) return
    memory.notify(address, 1)
    const queue = queues.get(address)
    const own = queue !== undefined && kick(queue) ? 1 : 0
    if (memory.load(address + ASYNC_THREADS) > own) {
      memory.add(address + ASYNC_WORD, 1)
      memory.notify(address + ASYNC_WORD, Infinity)
    }
  }

  /** Lets the queue of this thread try as soon as the running code returns; false when others are to have a chance. */
  function kick(queue: Queue): boolean {
    if (queue.kicked) return true
    const now = memory.now()
    if (queue.handoverSince === 0) queue.handoverSince = now
    else if (now - queue.handoverSince > HANDOVER_MS) return false
    queue.kicked = true
    memory.soon(() => {
      queue.kicked = false
      if (queue.waiters.length > 0) contend(queue, true)
    })
    return true
  }

  /** Whether async waiters of this thread queue for the lock. */
  function hasQueue(address: number): boolean {
    return queues.size > 0 && queues.has(address)
  }

  function holderOf(address: number): ThreadId {
    return memory.load(address) & OWNER_MASK
  }

  function heldBy(address: number, me: ThreadId): string {
    const holder = holderOf(address)
    if (holder === 0) return 'is free by now'
    return holder === me ? 'is held by this thread' : `is held by "${threadName(holder)}"`
  }

  function timedOut(address: number, me: ThreadId, timeout: number, what: string): Error {
    return timeoutError(`Waited ${timeout} ms for ${what}, which ${heldBy(address, me)}.`)
  }

  function cannotBlock(address: number, me: ThreadId, what: string): Error {
    return new CannotBlockError(
      `The thread "${threadName(me)}" may not block, and ${what} ${heldBy(address, me)}. Await the lock instead: lock() or runExclusive().`,
    )
  }

  return {
    tryAcquire,
    acquireSync,
    enqueue,
    withdraw,
    hasQueue,
    release,
    releaseUnmended,
    wake,
    holderOf,
    timedOut: (address: number, timeout: number, what: string) =>
      timedOut(address, memory.ownThreadId(), timeout, what),
  }
}

function ownLock(me: ThreadId, what: string): DeadlockError {
  const name = threadName(me)
  return new DeadlockError(
    `The thread "${name}" holds ${what} already, so blocking for it would never end. Release it first, or await it with lock().`,
    { cycle: [`"${name}" waits for ${what}, held by "${name}"`] },
  )
}
