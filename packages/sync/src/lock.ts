/**
 * The lock that everything else is made of: 16 bytes at an address of the arena, of which this file uses
 * the first word and clears the third, its holder's own.
 *
 *   word     state                         lock                       unlock by n
 *   0        free                          → n                        –
 *   D        free, its state half-changed  → n, 'abandoned'           –
 *   Q        free, somebody is queued      → n Q, or queue            –
 *   n        held                          queue: → n Q               → 0
 *   n Q      held, somebody is queued      queue                      → Q, wake; or → m Q, hand on
 *   n [Q]    n is dead                     → m [Q], 'abandoned'       –
 *
 * (Q: QUEUED, D: UNMENDED, n and m: threads' ids.)
 *
 * Lock: compare-exchange 0 → own id. Else spin a while; else queue (`wait-queue.ts`).
 * Unlock: compare-exchange own id → 0. If that fails somebody is queued, and the unlock goes inside the
 * guard: it frees the lock and wakes who is first, which then competes with whoever comes (barging), and
 * keeps its place if it loses. Once a millisecond it hands the lock on instead, and at once where who is
 * first awaits on the same thread; but not for longer than a millisecond, or its event loop would starve.
 *
 * Who is woken: the first blocked thread, and the first asynchronous waiter. An asynchronous one whose
 * thread is blocked can't come, so the next one is woken as well. At most these wait awake, however many
 * are queued.
 *
 * Fairness: asynchronous waiters are served in their order, whatever thread they are of, except that one
 * whose thread is blocked is passed over while it is. Blocking ones may barge. At least each `HAND_ON_MS`
 * the lock goes to the one that has waited longest.
 *
 * Invariants
 * - Q is set exactly while a node is linked for the lock, except inside its guard. (A lock that was freed
 *   with the whole word compared had no waiter.)
 * - While the lock is free, or its owner dead, some living waiter, if there is one whose thread isn't
 *   blocked elsewhere, is awake: woken, or about to look because of the death.
 * - A dead owner's word is replaced inside the guard, so what stands in the journal is carried out first; and
 *   by compare-exchange of that very word, so exactly one gets it.
 *
 * After "Futexes Are Tricky" (Drepper) for the word, parking_lot for barging and eventual fairness, and robust POSIX mutexes for dead owners.
 */
import { DeadlockError, FlatshareError, type ThreadId } from '@flatshare/core'
import { threadName } from '@flatshare/core/internal'
import type { AsyncWaiter } from './awaiting.js'
import type { WaitNode } from './wait-queue.js'
import type { Waiting } from './waiting.js'

/** What a lock takes. Its address is a multiple of 4 and its bytes are zero at first. */
export const LOCK_BYTES = 16

/** In a lock's word: somebody is queued. */
export const QUEUED = 0x80000000 | 0
/** In a lock's word: a holder died, and nobody has said since that its state is whole. */
export const UNMENDED = 0x40000000
/** In a lock's word: its owner. */
export const OWNER_MASK = 0x3fffffff

const DEPTH = 8

/** How often a contended lock goes to the one that has waited longest. */
export const HAND_ON_MS = 1

const KIND = 1
const ACQUIRED = 0
const ABANDONED = 1

/** How a lock came to its holder: `'abandoned'` says that a holder died, and what the lock guards may be half-changed. */
export type Outcome = 'acquired' | 'abandoned'

const outcomeOf = (result: number): Outcome => (result === ABANDONED ? 'abandoned' : 'acquired')

/** The lock's functions over a memory. */
export function makeLock(waiting: Waiting) {
  const { queues } = waiting
  const { memory } = queues
  /** Since when this thread has handed locks on to waiters of its own, in microtasks. */
  let runSince: number | undefined

  waiting.register(KIND, {
    serve,
    giveBack,
    holders(address) {
      const holder = holderOf(address)
      return holder === 0 ? [] : [holder]
    },
  })

  function tryAcquire(address: number): Outcome | 'held' {
    const me = memory.ownThreadId()
    const word = memory.compareExchange(address, 0, me)
    return word === 0 ? 'acquired' : tryAcquireSlow(address, word, me)
  }

  function tryAcquireSlow(address: number, seen: number, me: ThreadId): Outcome | 'held' {
    for (let word = seen; ; word = memory.load(address)) {
      const owner = word & OWNER_MASK
      if (owner !== 0) return owner === me || memory.isAlive(owner) ? 'held' : tryAcquireFromDead(address, me)
      if (memory.compareExchange(address, word, me | (word & QUEUED)) === word) return taken(address, word)
    }
  }

  /** Inside the guard, where what the dead one was about to do with the lock has been carried out. */
  function tryAcquireFromDead(address: number, me: ThreadId): Outcome | 'held' {
    let outcome: Outcome | 'held' | undefined
    queues.enter(address)
    while (!outcome) {
      const word = memory.load(address)
      const owner = word & OWNER_MASK
      if (owner !== 0 && memory.isAlive(owner)) outcome = 'held'
      else if (memory.compareExchange(address, word, me | (word & QUEUED)) === word) outcome = taken(address, word)
    }
    waiting.leave()
    return outcome
  }

  /** What it means that this thread has replaced the word. */
  function taken(address: number, word: number): Outcome {
    if ((word & (OWNER_MASK | UNMENDED)) === 0) return 'acquired'
    memory.store(address + DEPTH, 0)
    return 'abandoned'
  }

  /**
   * `evenIfOwn`: if this thread holds the lock, that is for an asynchronous waiter of its own, which has not
   * run yet and can't: so it is given back.
   */
  function acquireSync(
    address: number,
    options: { timeout?: number; what?: () => string; evenIfOwn?: boolean } = {},
  ): Outcome {
    const me = memory.ownThreadId()
    if (memory.compareExchange(address, 0, me) === 0) return 'acquired'
    const what = options.what ?? (() => `lock ${address}`)
    if (holderOf(address) === me && !options.evenIfOwn) throw ownLock(me, what())
    const spun = spin(address, me)
    if (spun !== 'held') return spun
    queues.enter(address)
    queueUp(address)
    const result = waiting.block(
      address,
      { kind: KIND },
      {
        timeout: options.timeout,
        what,
        instead: 'await the lock, by lock() or runExclusive()',
        takeNow: () => takeNow(address, me),
      },
    )
    return outcomeOf(result)
  }

  /** Waits for the lock without giving up the core for some microseconds: to park and be woken takes longer. */
  function spin(address: number, me: ThreadId): Outcome | 'held' {
    for (let spins = 0; spins < memory.spins; spins++) {
      if ((memory.load(address) & OWNER_MASK) !== 0) continue
      const outcome = tryAcquire(address)
      if (outcome !== 'held') return outcome
    }
    return memory.spins > 0 ? tryAcquireSlow(address, memory.load(address), me) : 'held'
  }

  /** As `tryAcquire`, for one who is queued already. */
  function takeNow(address: number, me: ThreadId): number | undefined {
    const word = memory.load(address)
    if ((word & OWNER_MASK) !== 0 || memory.compareExchange(address, word, me | (word & QUEUED)) !== word)
      return undefined
    return taken(address, word) === 'abandoned' ? ABANDONED : ACQUIRED
  }

  /** Before a node is linked: from now on the lock is to be handed on after a while. */
  function queueUp(address: number): void {
    if (queues.first(address) === 0) queues.setHandedOn(memory.clock())
  }

  /** Queues an asynchronous waiter; gives the node to withdraw it by. */
  function enqueue(address: number, waiter: { granted(outcome: Outcome): void }): WaitNode {
    queues.enter(address)
    queueUp(address)
    const inner: AsyncWaiter = { granted: (result) => waiter.granted(outcomeOf(result)) }
    return waiting.enqueue(address, { kind: KIND }, inner)
  }

  /** Lets those who are awake have a free lock, and wakes those who are to be. */
  function serve(address: number, self: WaitNode): void {
    for (;;) {
      const word = memory.load(address)
      const owner = word & OWNER_MASK
      if (waiting.firstLiving(address) === 0) {
        if (!(word & QUEUED) || memory.compareExchange(address, word, word & ~QUEUED) === word) return
        continue
      }
      if (owner !== 0 && memory.isAlive(owner)) {
        if (word & QUEUED || memory.compareExchange(address, word, word | QUEUED) === word) return
        continue
      }
      if (self !== 0 && mayTake(address, self)) {
        const alone = waiting.firstLiving(address) === self && waiting.nextLiving(self) === 0
        const next = memory.ownThreadId() | (alone ? 0 : QUEUED)
        if (memory.compareExchange(address, word, next) !== word) continue
        queues.grant(self, taken(address, word) === 'abandoned' ? ABANDONED : ACQUIRED)
        return
      }
      if (!(word & QUEUED) && memory.compareExchange(address, word, word | QUEUED) !== word) continue
      wakeThoseInFront(address)
      return
    }
  }

  function giveBack(address: number, node: WaitNode): void {
    const flag = queues.resultOf(node) === ABANDONED ? UNMENDED : 0
    queues.waitOn(node)
    memory.store(address, flag | QUEUED)
    serve(address, 0)
  }

  /** Blocked ones may barge, others go in order. */
  function mayTake(address: number, self: WaitNode): boolean {
    if (!queues.isAsync(self)) return true
    for (let node = waiting.firstLiving(address); node !== self; node = waiting.nextLiving(node)) {
      if (queues.isAsync(node) && !memory.isParked(queues.threadOf(node))) return false
    }
    return true
  }

  function wakeThoseInFront(address: number): void {
    let blocked = false
    let asynchronous = false
    for (let node = waiting.firstLiving(address); node !== 0; node = waiting.nextLiving(node)) {
      if (!queues.isAsync(node)) {
        if (!blocked) queues.wakeUp(node)
        blocked = true
      } else if (!asynchronous) {
        queues.wakeUp(node)
        asynchronous = !memory.isParked(queues.threadOf(node))
      }
      if (blocked && asynchronous) return
    }
  }

  function release(address: number): void {
    const me = memory.ownThreadId()
    if (memory.compareExchange(address, me, 0) !== me) releaseSlow(address, me, 0)
  }

  /** As `release`, by a thread that blocks next: it doesn't get the lock for a waiter of its own, which couldn't run. */
  function releaseToBlock(address: number): void {
    const me = memory.ownThreadId()
    if (memory.compareExchange(address, me, 0) !== me) releaseSlow(address, me, 0, me)
  }

  function releaseUnmended(address: number): void {
    releaseSlow(address, memory.ownThreadId(), UNMENDED)
  }

  /** The rest of an unlock by this thread, where the word isn't just its id. */
  function releaseContended(address: number): void {
    releaseSlow(address, memory.ownThreadId(), 0)
  }

  function releaseSlow(address: number, me: ThreadId, flag: number, blocksNext: ThreadId = 0): void {
    queues.enter(address)
    const holder = holderOf(address)
    if (holder !== me) {
      queues.leave()
      throw new FlatshareError(
        `This thread, "${threadName(me)}", unlocks a lock that it doesn't hold` +
          `${holder === 0 ? '' : `: "${threadName(holder)}" does`}.`,
      )
    }
    const next = nextInLine(address, blocksNext)
    if (next !== 0 && (isOwnAsync(next) ? !isRunOver() : memory.isDue(queues.handedOn(), HAND_ON_MS))) {
      queues.setHandedOn(memory.clock())
      const thread = queues.threadOf(next)
      const mayBlock = queues.isAsync(next) && thread !== me
      queues.grantWith(next, thread | QUEUED, flag === 0 ? ACQUIRED : ABANDONED)
      // If it blocked before it could be told: who blocks says so first, then looks for what it was granted.
      if (mayBlock && memory.isParked(thread)) giveBack(address, next)
      settle(address)
    } else {
      memory.store(address, waiting.firstLiving(address) === 0 ? flag : flag | QUEUED)
      wakeThoseInFront(address)
    }
    waiting.leave()
  }

  /** Whether its thread is this one, which can go on with it at once. */
  function isOwnAsync(node: WaitNode): boolean {
    return queues.isAsync(node) && queues.threadOf(node) === memory.ownThreadId()
  }

  /** Whether own waiters have followed each other for so long that the event loop is to have a turn. */
  function isRunOver(): boolean {
    if (runSince === undefined) runSince = memory.clock()
    else if (memory.isDue(runSince, HAND_ON_MS)) {
      runSince = undefined
      return true
    }
    return false
  }

  /** Who has waited longest, of those that can come. */
  function nextInLine(address: number, blocksNext: ThreadId): WaitNode {
    for (let node = waiting.firstLiving(address); node !== 0; node = waiting.nextLiving(node)) {
      if (!queues.isAsync(node)) return node
      const thread = queues.threadOf(node)
      if (thread !== blocksNext && !memory.isParked(thread)) return node
    }
    return 0
  }

  /** Inside the guard of a held lock: a node of this thread may have been granted and unlinked. */
  function settle(address: number): void {
    if (queues.first(address) === 0) memory.store(address, memory.load(address) & ~QUEUED)
  }

  function holderOf(address: number): ThreadId {
    return memory.load(address) & OWNER_MASK
  }

  function timedOut(address: number, timeout: number, what: string): Error {
    const holder = holderOf(address)
    return waiting.timedOut(what, timeout, holder === 0 ? [] : [holder])
  }

  return {
    tryAcquire,
    acquireSync,
    enqueue,
    withdraw: waiting.withdraw,
    release,
    releaseToBlock,
    releaseUnmended,
    releaseContended,
    holderOf,
    timedOut,
  }
}

function ownLock(me: ThreadId, what: string): DeadlockError {
  const name = threadName(me)
  return new DeadlockError(
    `The thread "${name}" holds ${what} already, so blocking for it would never end. Release it first.`,
    { cycle: [`"${name}" waits for ${what}, held by "${name}"`] },
  )
}
