/**
 * Threads that block on calls of each other for ever.
 *
 * Who blocks on a call says so in a note of its slot, before it parks: whom it has called, by which path,
 * and up to which post it has received its messages. While it is parked with nothing new posted, it serves a
 * call only if its own blocked call is on that one's path. So
 *
 *   X waits for Y   if X is parked on a call to Y, has received all, and Y is parked, unless on a call that is on
 *                   the path of X's
 *
 * and each thread waits for at most one other. A thread looks for a cycle through itself after it has announced
 * its park. The one that announced last finds all others announced.
 *
 * What it read one after the other need never have been true at one time. It is, if a second look finds each
 * thread still in the same wait (`timesParked`): they were all parked between the two looks, with nothing on its
 * way to any of them but from threads outside. None of those will answer them: an answer comes from the
 * thread that was called, and that is in the cycle.
 *
 *   the youngest thread of the cycle    gets the DeadlockError
 *   any other that finds it             wakes the youngest, which looks again and finds it, and sleeps on
 *   a thread that waits for a lock      is woken too, to look by itself: who holds the lock is known where
 *                                       locks are (`@flatshare/sync`); in a cycle with locks one of those that wait
 *                                       for a lock gets the error
 *
 * The note: callee │ posts seen │ number of ids │ whether older ids were left out │ ids, two words each.
 * Invariants: it is written by its own thread only, while that isn't parked; so what was read of it holds if
 * `timesParked` was the same before and after.
 */
import { allocate } from './allocator.js'
import type { CallId } from './call.js'
import { DeadlockError } from './errors.js'
import { posted, postsOf } from './inbox.js'
import { i32, reach } from './memory.js'
import { lookAgain, parkedAt, timesParked, waitNote } from './park.js'
import { ownThreadId, SlotWord, slotOf, type ThreadId, threadName } from './threads.js'

const CALLEE = 0
const SEEN = 4
const COUNT = 8
const CUT = 12
const IDS = 16
/** As many ids of a path as the note holds, the last ones. */
const MOST_IDS = 64
export const CALL_NOTE_BYTES = IDS + MOST_IDS * 8

/** All that the search touches outside of its own thread; tests give a model of it. */
export interface BlockedCallsMemory {
  load(address: number): number
  store(address: number, value: number): void
  ownThreadId(): ThreadId
  /** The address of a thread's note, 0 where it has never blocked on a call. */
  noteOf(id: ThreadId): number
  /** The address of this thread's. */
  ownNote(): number
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

  /** Says what call this thread is about to park on; `path` ends with its id. */
  function noteCall(callee: ThreadId, path: readonly CallId[], seen: number): void {
    const note = memory.ownNote()
    const kept = path.slice(-MOST_IDS)
    store(note + CALLEE, callee)
    store(note + SEEN, seen)
    store(note + COUNT, kept.length)
    store(note + CUT, kept.length < path.length ? 1 : 0)
    kept.forEach((id, i) => {
      store(note + IDS + i * 8, id | 0)
      store(note + IDS + i * 8 + 4, Math.floor(id / 0x100000000))
    })
  }

  /** The note of a thread that is parked on a call, else 0. */
  function noteOfParked(id: ThreadId): number {
    return memory.parkedAt(id) === memory.postsOf(id) ? memory.noteOf(id) : 0
  }

  /**
   * The thread that must go on before `id` can, which blocks on a call to it; 0 where it doesn't block on a call,
   * has something to receive, or will be served. True of one moment only if `timesParked` is the same before and after.
   */
  function calleeOf(id: ThreadId): ThreadId {
    const note = noteOfParked(id)
    if (note === 0 || load(note + SEEN) !== load(memory.postsOf(id))) return 0
    const callee = load(note + CALLEE)
    const itsNote = noteOfParked(callee)
    return itsNote !== 0 && isOnPath(itsNote, note) ? 0 : callee
  }

  /** Whether the call of one note may be on the path of another's. */
  function isOnPath(call: number, note: number): boolean {
    const last = call + IDS + (load(call + COUNT) - 1) * 8
    const low = load(last)
    const high = load(last + 4)
    // What was left out is taken to be it: nobody is accused wrongly.
    if (load(note + CUT) !== 0) return true
    for (let i = load(note + COUNT) - 1; i >= 0; i--) {
      const at = note + IDS + i * 8
      if (load(at) === low && load(at + 4) === high) return true
    }
    return false
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

  const stands = ({ thread, callee, serial }: Link): boolean =>
    calleeOf(thread) === callee && memory.timesParked(thread) === serial

  return { noteCall, calleeOf, refuseCycle }
}

const blockedCalls = makeBlockedCalls({
  load: (address) => Atomics.load(i32, address >> 2),
  store: (address, value) => void Atomics.store(i32, address >> 2, value),
  ownThreadId,
  noteOf(id) {
    const note = Atomics.load(i32, slotOf(id) + SlotWord.callNote)
    if (note !== 0) reach(note + CALL_NOTE_BYTES)
    return note
  },
  ownNote() {
    const index = slotOf(ownThreadId()) + SlotWord.callNote
    let note = i32[index]
    if (note === 0) Atomics.store(i32, index, (note = allocate(CALL_NOTE_BYTES)))
    reach(note + CALL_NOTE_BYTES)
    return note
  },
  postsOf,
  parkedAt,
  timesParked,
  posted,
  lookAgain,
  waitNote,
})

export const { noteCall, calleeOf, refuseCycle } = blockedCalls
