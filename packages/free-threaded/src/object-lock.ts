/**
 * The lock of an object, as its methods and fields take it.
 *
 * The lock itself is that of `@flatshare/sync`, at the start of the object's block. Its third word, which
 * only the holding thread reads or writes, says how this thread holds it:
 *
 *   owner   mode    the object is                          code of this thread that comes to it
 *   0, n    –       free, or another thread's              takes the lock, or waits
 *   me      SYNC    inside a synchronous method            is called from that method: goes in
 *   me      ASYNC   inside an async method, awaiting       goes in if it was called from that method,
 *                                                          as its frames tell; else it may not wait
 *                                                          (the method needs this thread): DeadlockError
 *
 * A synchronous call from inside an async method is a *segment*: the mode is SYNC while it runs.
 *
 * Invariants
 * - Synchronous code of a thread is one chain of calls, so SYNC with this thread as owner means that the
 *   running code was called by the holder. No depth is counted: who finds the lock taken leaves it so.
 * - The mode of a free lock is SYNC.
 * - After a death the lock comes with the mode SYNC: `@flatshare/sync` clears the word.
 */
import { CannotBlockError, DeadlockError } from '@flatshare/core'
import { i32, ownThreadId, threadName, trackAcrossAwait } from '@flatshare/core/internal'
import { acquireSync, OWNER_MASK, release, releaseContended } from '@flatshare/sync/internal'
import { heldOnPath } from './async-hold.js'
import { ASYNC, abandoned, MODE, SYNC } from './lock-mode.js'

/** What `leave` has to undo. */
export const REENTERED = 0
export const TAKEN = 1
export const SEGMENT = 2
export type Entry = typeof REENTERED | typeof TAKEN | typeof SEGMENT

/** How long a thread blocks for a holder that awaits: no cycle through an `await` can be proved. */
const AWAITING_HOLDER_MS = 30_000

/**
 * Takes the lock for code that runs synchronously. `what` names it in errors.
 *
 * @throws AbandonedError, once, after a thread died inside.
 * @throws DeadlockError where an async method of this thread holds it and the running code isn't its.
 * @throws CannotBlockError, TimeoutError as `acquireSync`.
 */
export function enter(address: number, what: () => string): Entry {
  const index = address >> 2
  const me = ownThreadId()
  if ((i32[index] & OWNER_MASK) === me) return i32[index + MODE] === SYNC ? REENTERED : enterSegment(address, what)
  if (Atomics.compareExchange(i32, index, 0, me) === 0) return TAKEN
  return enterSlowly(address, what)
}

export function leave(address: number, entry: Entry): void {
  if (entry === REENTERED) return
  const index = address >> 2
  if (entry === SEGMENT) {
    i32[index + MODE] = ASYNC
    return
  }
  const me = ownThreadId()
  if (Atomics.compareExchange(i32, index, me, 0) !== me) releaseContended(address)
}

/**
 * As `enter`, to write a field. Where the runtime can't tell after an `await` who is inside, whoever
 * writes on the holding thread is taken for the holder: its own writes must go through.
 */
export function enterToWrite(address: number, what: () => string): Entry {
  const index = address >> 2
  const awaiting = i32[index + MODE] === ASYNC && (i32[index] & OWNER_MASK) === ownThreadId()
  return awaiting && !trackAcrossAwait() ? REENTERED : enter(address, what)
}

/** Whether the running code is inside: it may touch fields without the lock. Cheap. */
export function isInside(address: number): boolean {
  const index = address >> 2
  return (i32[index] & OWNER_MASK) === ownThreadId() && i32[index + MODE] === SYNC
}

function enterSegment(address: number, what: () => string): Entry {
  if (!heldOnPath(address)) throw heldByAwaiting(what())
  i32[(address >> 2) + MODE] = SYNC
  return SEGMENT
}

function enterSlowly(address: number, what: () => string): Entry {
  for (;;) {
    try {
      if (acquireSync(address, { what, timeout: AWAITING_HOLDER_MS }) === 'acquired') return TAKEN
    } catch (error) {
      if (error instanceof CannotBlockError) throw cannotBlock(what(), error)
      // A holder that works, and doesn't await, is worth waiting for.
      if ((error as Error).name === 'TimeoutError' && Atomics.load(i32, (address >> 2) + MODE) === SYNC) continue
      throw error
    }
    release(address)
    throw abandoned(what())
  }
}

function wayOut(what: string): string {
  const dot = what.includes('.[') ? what.indexOf('.[') : what.lastIndexOf('.')
  const Class = what.slice(0, dot)
  const member = what.slice(dot + 1)
  const object = `await nonBlocking(${Class.charAt(0).toLowerCase()}${Class.slice(1)})`
  if (/(=|\(\))$/.test(member)) return `${object}.method(…), with a method that does it`
  return `${object}${member.startsWith('[') ? '' : '.'}${member}`
}

function heldByAwaiting(what: string): DeadlockError {
  const thread = `"${threadName(ownThreadId())}"`
  return new DeadlockError(
    `${what} can't run now: an async method of the same object is awaiting on this thread, ${thread}, and holds its ` +
      `lock; blocking for it would never end. Queue behind it: ${wayOut(what)}.`,
    { cycle: [`${thread} waits for ${what}, held by ${thread}`] },
  )
}

function cannotBlock(what: string, cause: Error): CannotBlockError {
  return new CannotBlockError(
    `${what} would have to wait for another thread, and this one, "${threadName(ownThreadId())}", may not block. ` +
      `Instead: ${wayOut(what)}.`,
    { cause },
  )
}
