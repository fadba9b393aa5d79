/**
 * Threads that block on calls of each other for ever.
 *
 * Who blocks on a call says so in its slot, before it parks: whom it has called, and up to which post it has
 * received its messages (`inbox.ts`). While it blocks, it serves the calls that its own one has led to as soon as they
 * come, and no others. So a thread that is parked, and has nothing to receive, has served all that it will
 * serve, and
 *
 *   X waits for Y   if X is parked on a call to Y with nothing to receive: Y hasn't answered
 *   for ever        if Y is parked too, has nothing to receive, and so on, back to X
 *
 * Each thread waits for at most one other. A thread looks for a cycle through itself after it has announced its
 * park. The one that announced last finds all others announced.
 *
 * What it read one after the other need never have been true at one time. It is, if a second look finds each
 * thread still in the same wait (`timesParked`): all were parked between the two looks, with nothing on its way
 * from any of them. What comes from threads outside doesn't answer them: an answer comes from the thread that was
 * called, and that is in the cycle.
 *
 *   the youngest thread of the cycle    gets the DeadlockError
 *   any other that finds it             wakes the youngest, which looks again and finds it, and sleeps on
 *   a thread that waits for a lock      is woken too, to look by itself: who holds the lock is known where
 *                                       locks are (`@flatshare/sync`); in a cycle with locks one of those that wait
 *                                       for a lock gets the error
 *
 * Invariant: the two words are written by their own thread only, while that isn't parked; so what was read of
 * them holds if `timesParked` was the same before and after.
 */
import { DeadlockError } from './errors.js'
import { posted, postsOf } from './inbox.js'
import { i32 } from './memory.js'
import { lookAgain, parkedAt, timesParked, waitNote } from './park.js'
import { ownThreadId, SlotWord, slotOf, type ThreadId, threadName } from './threads.js'

/** All that the search touches outside of its own thread; tests give a model of it. */
export interface BlockedCallsMemory {
  load(address: number): number
  store(address: number, value: number): void
  ownThreadId(): ThreadId
  /** Address of the word that says which thread it has called. */
  calleeWord(id: ThreadId): number
  /** Address of the word that says how many posts it has received. */
  seenWord(id: ThreadId): number
  postsOf(id: ThreadId): number
  parkedAt(id: ThreadId): number
  timesParked(id: ThreadId): number
  /** Wakes a thread that blocks for messages. */
  posted(id: ThreadId): void
  /** Wakes a thread that waits for a lock. */
  lookAgain(id: ThreadId): void
  waitNote(id: ThreadId): string
}

interface Link {
  readonly thread: ThreadId
  readonly callee: ThreadId
  readonly serial: number
}

/** The search over a memory. */
export function makeBlockedCalls(memory: BlockedCallsMemory) {
  const { load, store } = memory

  /** Says which thread's answer this one is about to park for, having received so many posts. */
  function noteCall(callee: ThreadId, seen: number): void {
    const me = memory.ownThreadId()
    store(memory.calleeWord(me), callee)
    store(memory.seenWord(me), seen)
  }

  /**
   * The thread that must go on before `id` can, which blocks on a call to it; 0 where it doesn't block on a call, or
   * has something to receive. True of one moment only if `timesParked` is the same before and after.
   */
  function calleeOf(id: ThreadId): ThreadId {
    const posts = memory.postsOf(id)
    if (memory.parkedAt(id) !== posts || load(memory.seenWord(id)) !== load(posts)) return 0
    return load(memory.calleeWord(id))
  }

  /** Throws a DeadlockError where this thread, which has announced that it parks on a call, is to break a cycle. */
  function refuseCycle(): void {
    const cycle = findCycle()
    if (!cycle?.every(stands)) return
    const youngest = Math.max(...cycle.map(({ thread }) => thread))
    if (youngest !== memory.ownThreadId()) {
      memory.posted(youngest)
      return
    }
    const links = cycle.map(
      ({ thread, callee }) =>
        `"${threadName(thread)}" waits for ${memory.waitNote(thread)}, called on "${threadName(callee)}"`,
    )
    throw new DeadlockError(`These threads wait for each other for ever: ${links.join('; ')}.`, { cycle: links })
  }

  function findCycle(): Link[] | undefined {
    const me = memory.ownThreadId()
    const cycle: Link[] = []
    for (let thread = me; ; ) {
      const serial = memory.timesParked(thread)
      const callee = calleeOf(thread)
      if (callee === 0) {
        // What it holds or wants of locks, it knows itself.
        if (cycle.length > 0) memory.lookAgain(thread)
        return undefined
      }
      cycle.push({ thread, callee, serial })
      if (callee === me) return cycle
      // A cycle that this thread only waits upon is others' to find.
      if (cycle.some((link) => link.thread === callee)) return undefined
      thread = callee
    }
  }

  /**
   * Whether a thread waits for the answer of this one, be it by a call of a thread that it has called. This one is asked
   * where it has announced that it parks, and serves nothing before that thread goes on: then both wait for ever.
   */
  function waitsForThis(id: ThreadId): boolean {
    const links: Link[] = []
    for (let thread = id; ; ) {
      const serial = memory.timesParked(thread)
      const callee = calleeOf(thread)
      if (callee === 0 || links.some((link) => link.thread === thread)) return false
      links.push({ thread, callee, serial })
      if (callee === memory.ownThreadId()) return links.every(stands)
      thread = callee
    }
  }

  const stands = ({ thread, callee, serial }: Link): boolean =>
    calleeOf(thread) === callee && memory.timesParked(thread) === serial

  return { noteCall, calleeOf, refuseCycle, waitsForThis }
}

const blockedCalls = makeBlockedCalls({
  load: (address) => Atomics.load(i32, address >> 2),
  store: (address, value) => void Atomics.store(i32, address >> 2, value),
  ownThreadId,
  calleeWord: (id) => (slotOf(id) + SlotWord.callee) << 2,
  seenWord: (id) => (slotOf(id) + SlotWord.seen) << 2,
  postsOf,
  parkedAt,
  timesParked,
  posted,
  lookAgain,
  waitNote,
})

export const { noteCall, calleeOf, refuseCycle, waitsForThis } = blockedCalls
