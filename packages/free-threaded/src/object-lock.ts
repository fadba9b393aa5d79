/**
 * The lock of an object, as its methods and fields take it for writing; `reading.ts` takes it for reading.
 *
 *   +0 word   +4 readers: head of the list of their records   +8 mode   +12 version (`versions.ts`)
 *
 * The word is that of `@flatshare/sync`: of its lock, or, for a group with `@Reads` members, of its readers-writer
 * lock, whose records then hang on the second word. Taken and left with nobody else there, both are the same two
 * operations. The mode is the holder's own:
 *
 *   owner   AWAITING   the object is                          code of this thread that comes to it
 *   0, n    –          free, or another thread's              takes the lock, or waits
 *   me      no         inside a synchronous method            is called from that method: goes in
 *   me      yes        inside an async method, awaiting       goes in if it was called from that method,
 *                                                             as its frames tell; else it may not wait
 *                                                             (the method needs this thread): DeadlockError
 *
 * A synchronous call from inside an async method is a *segment*: AWAITING is away while it runs.
 *
 * DIRTY, with the holder's id, says that fields were written since the lock was taken: it is set at the first write,
 * and `leave` commits. So the mode alone tells a later write that the running code is inside.
 *
 * Invariants
 * - Synchronous code of a thread is one chain of calls, so "not AWAITING" with this thread as owner means that the
 *   running code was called by the holder. No depth is counted: who finds the lock taken leaves it so.
 * - The mode of a free lock is 0, or that of a holder that died. Ids are never used again.
 * - After a death `takeOver` sets the mode before anything else runs under the lock. A thread that was handed the
 *   lock of a dead one for an async call may come to it before that: AWAITING without a hold of this thread is stale.
 */
import { CannotBlockError, DeadlockError } from '@flatshare/core'
import { reordersReads, threadName, trackAcrossAwait, views } from '@flatshare/core/internal'
import { acquireSync, type Outcome, OWNER_MASK, release, releaseUnmended } from '@flatshare/sync/internal'
import type { Access } from './access.js'
import { addressOf } from './handle.js'
import { CROSSED, SHADOW } from './heap/block.js'
import { hasCalls, heldOnPath, isHeldAcrossAwait } from './holds.js'
import { commitImages, makeImages } from './images.js'
import { AWAITING, abandoned, MODE, unmended } from './lock-mode.js'
import { own as ownThread } from './own-thread.js'
import { hasReaders, readWriteLock } from './read-lock.js'
import { readerOnPath, reads as readsInProgress, refuseInsideRead } from './reads-in-progress.js'
import { shapeOf } from './shape.js'
import { refusePromise } from './synchronous.js'

/** What `leave` has to undo. */
export const REENTERED = 0
export const TAKEN = 1
export const SEGMENT = 2
export type Entry = typeof REENTERED | typeof TAKEN | typeof SEGMENT

/** How long a thread blocks for a holder that awaits: no cycle through an `await` can be proved. */
export const AWAITING_HOLDER_MS = 30_000

// Engines compile in what a module's constants hold; what it imports, and its variables, they load and check at each use.
const memory = views

const own = ownThread
const reads = readsInProgress

/**
 * Takes the lock for code that runs synchronously.
 *
 * @throws FlatshareError inside of a `@Reads` method of the same object.
 * @throws AbandonedError, once, after a thread died inside and nothing mends the object.
 * @throws DeadlockError where an async method of this thread holds it and the running code isn't its.
 * @throws CannotBlockError, TimeoutError as `acquireSync`.
 */
export function enter(object: object, lock: number, access: Access): Entry {
  const { i32 } = memory
  const index = lock >> 2
  // This, `leave`, `commit`, `mayWrite` and `beginWriting` are to be small enough that engines compile them into a method's wrapper:
  // everything rare is elsewhere, and numbers stand for the words' and entries' names (a name costs five bytes of code).
  if (i32[index] !== 0 || reads.optimistic !== 0 || Atomics.compareExchange(i32, index, 0, own.id) !== 0) {
    return enterOtherwise(object, lock, access)
  }
  return firstRecord(index) === 0 ? 1 : enterPastReaders(object, lock, access)
}

function enterPastReaders(object: object, lock: number, access: Access): Entry {
  return readWriteLock.isRead(lock) ? enterSlowly(object, lock, access) : TAKEN
}

/** After the word was taken: a reader makes its record before it looks at the word. */
const firstRecord = reordersReads
  ? (index: number): number => Atomics.load(memory.i32, index + 1)
  : (index: number): number => memory.i32[index + 1]

function enterOtherwise(object: object, lock: number, access: Access): Entry {
  if (!isOwn(lock)) return spin(lock) ? enterPastReaders(object, lock, access) : enterSlowly(object, lock, access)
  return (memory.i32[(lock >> 2) + MODE] & AWAITING) === 0 ? REENTERED : enterSegment(object, lock, access)
}

/**
 * So often the word is looked at before the long way is taken: mostly others are inside for less than that takes.
 * Between two looks the thread waits for a microsecond, or two, without touching it: each look takes the cache line from
 * the holder, who needs it. Two threads that look all the time take twice as long for each call (Anderson, "The
 * performance of spin lock alternatives for shared-memory multiprocessors", 1990).
 */
const LOOKS = 8
const FIRST_PAUSE = 512
const LONGEST_PAUSE = 2048

function spin(lock: number): boolean {
  const { i32 } = memory
  const index = lock >> 2
  if (reads.optimistic !== 0) return false
  for (let looks = 0, rounds = FIRST_PAUSE; looks < LOOKS; looks++) {
    pause(rounds)
    if (Atomics.load(i32, index) === 0 && Atomics.compareExchange(i32, index, 0, own.id) === 0) return true
    if (rounds < LONGEST_PAUSE) rounds *= 2
  }
  return false
}

const nobodys = new Int32Array(new SharedArrayBuffer(4))

/** A round is a load of what only this thread has: less than a nanosecond. */
function pause(rounds: number): void {
  for (let i = 0; i < rounds; i++) Atomics.load(nobodys, 0)
}

export function leave(object: object, lock: number, access: Access, entry: Entry): void {
  const { i32 } = memory
  const index = lock >> 2
  if (entry !== 1) leaveSegment(lock, entry)
  else {
    if (i32[index + 2] !== 0) commit(object, lock, access)
    if (Atomics.compareExchange(i32, index, own.id, 0) !== own.id) releaseLock(object, lock, access)
  }
}

function leaveSegment(lock: number, entry: Entry): void {
  if (entry === SEGMENT) endSegment(lock)
}

/** Lets others see what was written. The lock is still held, and is to be left. */
export function commit(object: object, lock: number, access: Access): void {
  // Without images nobody has written a field that others see.
  if (memory.i32[(lock - access.lockOffset + 24) >> 2] > 1) commitImages(object, lock, access)
  memory.i32[(lock >> 2) + 2] = 0
}

export function releaseLock(object: object, lock: number, access: Access): void {
  if (hasReaders(object, access.group)) readWriteLock.releaseWrite(lock)
  else release(lock)
}

/**
 * As `enter`, to write a field. Where the runtime can't tell after an `await` who is inside, whoever writes on the
 * holding thread is taken for the holder: its own writes must go through.
 */
export function enterToWrite(object: object, lock: number, access: Access): Entry {
  const mode = (lock >> 2) + MODE
  const awaiting = isOwn(lock) && (memory.i32[mode] & AWAITING) !== 0
  const entry = awaiting && !trackAcrossAwait() ? REENTERED : enter(object, lock, access)
  try {
    readyToWrite(object, lock, access)
  } catch (error) {
    leave(object, lock, access, entry)
    throw error
  }
  memory.i32[mode] = own.mark | (memory.i32[mode] & AWAITING)
  return entry
}

/** @throws HeapFullError, where this would be the first write since others may see the object. */
function readyToWrite(object: object, lock: number, { lockOffset }: Access): void {
  const address = lock - lockOffset
  if (memory.i32[(address + SHADOW) >> 2] === CROSSED) makeImages(object, address)
}

/** Whether the running code is inside, synchronously: it may store to fields from now on. */
export function mayWrite(address: number, lockOffset: number): boolean {
  const lock = address + lockOffset
  if (memory.i32[(lock >> 2) + MODE] === own.mark) return true
  if (memory.i32[(address + SHADOW) >> 2] === CROSSED || !isInside(lock)) return false
  memory.i32[(lock >> 2) + MODE] = own.mark
  return true
}

/**
 * The same for the main group's lock, beside which the shadow stands, where the mode isn't this thread's mark yet. False
 * also where the object has yet to be made ready, which `enterToWrite` does.
 */
export function beginWriting(lock: number): boolean {
  const { i32 } = memory
  const index = lock >> 2
  if ((i32[index] & 0x3fffffff) !== own.id || (i32[index + 2] & 1) !== 0 || i32[index + 6] === 1) return false
  i32[index + 2] = own.mark
  return true
}

/** Whether this thread holds the lock for writing, by running code or by an async call that awaits. */
export function isOwn(lock: number): boolean {
  return (memory.i32[lock >> 2] & OWNER_MASK) === own.id
}

/** Whether the running code is inside: it may touch what the lock guards. Cheap. */
export function isInside(lock: number): boolean {
  return isOwn(lock) && (memory.i32[(lock >> 2) + MODE] & AWAITING) === 0
}

/** Whether this thread is inside of the object in any way, or has async calls that wait for it. */
export function isHeldHere(object: object): boolean {
  const address = addressOf(object)
  for (const { lockOffset } of shapeOf(object)!.groups.values()) {
    const lock = address + lockOffset
    if (isOwn(lock) || hasCalls(lock) || readerOnPath(lock) !== undefined) return true
  }
  return false
}

export function enterSegment(object: object, lock: number, access: Access): Entry {
  if (!isHeldAcrossAwait(lock)) {
    readyToWrite(object, lock, access)
    memory.i32[(lock >> 2) + MODE] = own.mark
    return REENTERED
  }
  if (!heldOnPath(lock)) throw heldByAwaiting(access.name)
  beginSegment(lock)
  return SEGMENT
}

/** From here on synchronous code runs inside of an async call. */
export function beginSegment(lock: number): void {
  memory.i32[(lock >> 2) + MODE] &= ~AWAITING
}

export function endSegment(lock: number): void {
  memory.i32[(lock >> 2) + MODE] |= AWAITING
}

function enterSlowly(object: object, lock: number, access: Access): Entry {
  const hasWord = isOwn(lock)
  const shared = hasReaders(object, access.group)
  try {
    refuseInsideRead(lock, access)
    if (shared) refuseWhileReading(lock, access)
  } catch (error) {
    if (hasWord) releaseLock(object, lock, access)
    throw error
  }
  if (waitForLock(lock, access, shared, hasWord) === 'abandoned') takeOver(object, lock, access)
  return TAKEN
}

function waitForLock(lock: number, { name, what }: Access, shared: boolean, hasWord: boolean): Outcome {
  let wait = !shared
    ? () => acquireSync(lock, { what, timeout: AWAITING_HOLDER_MS })
    : () => readWriteLock.writeSync(lock, what, AWAITING_HOLDER_MS)
  const again = wait
  if (hasWord) wait = () => readWriteLock.writeSyncWithWord(lock, what, AWAITING_HOLDER_MS)
  for (;;) {
    try {
      return wait()
    } catch (error) {
      retryOrThrow(error, lock, name)
      wait = again
    }
  }
}

/** A holder that works, and doesn't await, is worth waiting for. */
export function retryOrThrow(error: unknown, lock: number, name: string): void {
  if (error instanceof CannotBlockError) throw cannotBlock(name, error)
  const works = isHeld(lock) && (Atomics.load(memory.i32, (lock >> 2) + MODE) & AWAITING) === 0
  if ((error as Error).name !== 'TimeoutError' || !works) throw error
}

const isHeld = (lock: number): boolean => (Atomics.load(memory.i32, lock >> 2) & OWNER_MASK) !== 0

/** @throws DeadlockError where an async `@Reads` method of this thread is under way. */
function refuseWhileReading(lock: number, access: Access): void {
  if (memory.i32[(lock >> 2) + 1] === 0 || readWriteLock.readsOf(readWriteLock.recordOf(lock)) === 0) return
  throw heldByAwaiting(access.name, 'async @Reads method', 'reads it')
}

/**
 * What is done with a lock that a dead thread held, by who has it now: its class mends the object, or the running
 * call is told.
 *
 * @throws AbandonedError; the lock is given up then.
 */
export function takeOver(object: object, lock: number, access: Access): void {
  const mode = (lock >> 2) + MODE
  memory.i32[mode] = own.mark
  const { onAbandoned } = shapeOf(object)!
  if (!onAbandoned) {
    leave(object, lock, access, TAKEN)
    throw abandoned(access.name)
  }
  try {
    readyToWrite(object, lock, access)
    const result = onAbandoned(object) as unknown
    if (typeof result === 'object' && result !== null) refusePromise(result, 'onAbandoned')
  } catch (error) {
    memory.i32[mode] = 0
    if (hasReaders(object, access.group)) readWriteLock.releaseWrite(lock, true)
    else releaseUnmended(lock)
    throw unmended(access.name, error)
  }
}

function wayOut(what: string): string {
  const dot = what.includes('.[') ? what.indexOf('.[') : what.lastIndexOf('.')
  const Class = what.slice(0, dot)
  const member = what.slice(dot + 1)
  const object = `${Class.charAt(0).toLowerCase()}${Class.slice(1)}`
  if (member === 'locked()') return `await lockedAsync(${object}, async () => { … })`
  if (/(=|\(\))$/.test(member)) return `await nonBlocking(${object}).method(…), with a method that does it`
  return `await nonBlocking(${object})${member.startsWith('[') ? '' : '.'}${member}`
}

function heldByAwaiting(what: string, holder = 'async method', does = 'holds its lock'): DeadlockError {
  const thread = `"${threadName(own.id)}"`
  return new DeadlockError(
    `${what} can't run now: an ${holder} of the same object is awaiting on this thread, ${thread}, and ${does}; ` +
      `blocking for it would never end. Queue behind it: ${wayOut(what)}.`,
    { cycle: [`${thread} waits for ${what}, held by ${thread}`] },
  )
}

function cannotBlock(what: string, cause: Error): CannotBlockError {
  return new CannotBlockError(
    `${what} would have to wait for another thread, and this one, "${threadName(own.id)}", may not block. ` +
      `Instead: ${wayOut(what)}.`,
    { cause },
  )
}
