/**
 * Holding an object's lock across `await`, by causality.
 *
 * One *hold* stands for one async call. The outermost holds of a thread wait for the lock itself, in
 * order. A call made from inside another, as its frames tell, is nested: it needs no lock, but it takes
 * its turn among the calls nested in the same one, or two siblings of one `Promise.all` would interleave.
 * So the holds of an object on a thread form a chain, outermost first:
 *
 *   root ── inner ── inner          only the innermost one's code may touch the object
 *     └─ queue: siblings of inner
 *
 *   ended, nothing inner       gone: the lock (or the outer hold's queue) passes on
 *   ended, inner still runs    a call that was started and not awaited: the lock waits for it
 *
 * Those that only read hold a read of the lock each, beside each other; a frame of each says so.
 *
 * Invariants
 * - `roots` has a hold for a lock exactly while this thread owns it AWAITING (or in a segment of that).
 * - A hold goes in only while its outer one has not ended; who was queued at one that ended starts over.
 * - Between the moment when the lock comes to this thread and the start of the waiting call, synchronous
 *   code may find the lock owned, not AWAITING, and run: nothing else has begun, and it ends before that.
 */
import { currentFrame, type Frame, i32, ownThreadId, runInFrame, trackAcrossAwait } from '@flatshare/core/internal'
import { acquire, type Outcome } from '@flatshare/sync/internal'
import type { Access } from './access.js'
import { beginCall, endCall, Hold, outerHold, roots } from './holds.js'
import { noteCrossing } from './images.js'
import { DIRTY, MODE } from './lock-mode.js'
import { beginSegment, commit, endSegment, isInside, isOwn, releaseLock, takeOver } from './object-lock.js'
import { hasReaders, readWriteLock } from './read-lock.js'
import { ReadHold, readerOnPath, refuseInsideRead } from './reads-in-progress.js'

/** How many calls of this thread wait for a lock: later ones go behind them. */
const waiting = new Map<number, number>()

/**
 * Runs an async call under the object's lock, without ever blocking this thread. It starts at once where
 * nobody else is inside.
 *
 * @throws FlatshareError inside of a `@Reads` method of the same object.
 * @throws AbandonedError, once, after a thread died inside and nothing mends the object.
 * @throws HeapFullError before `fn` has run.
 */
export async function runInside<R>(
  object: object,
  lock: number,
  access: Access,
  fn: () => R | PromiseLike<R>,
): Promise<R> {
  trackAcrossAwait()
  const parent = currentFrame()
  refuseInsideRead(lock, access)
  noteCrossing(object, lock - access.lockOffset)
  beginCall(lock)
  try {
    const hold = goInNow(object, lock, access, parent) ?? (await goIn(object, lock, access, parent))
    try {
      return await runInFrame({ parent, holds: hold }, fn)
    } finally {
      end(hold)
    }
  } finally {
    endCall(lock)
  }
}

/** As `runInside`, for code that is synchronous once it is in. */
export function runInsideSync<R>(object: object, lock: number, access: Access, fn: () => R): Promise<R> {
  return runInside(object, lock, access, () => {
    beginSegment(lock)
    try {
      return fn()
    } finally {
      endSegment(lock)
    }
  })
}

/**
 * Runs an async call that only reads, beside others that do, of all threads; never blocks this one. From inside of an
 * exclusive call it runs as a part of that.
 *
 * @throws AbandonedError, HeapFullError as `runInside`.
 */
export async function runReading<R>(
  object: object,
  lock: number,
  access: Access,
  fn: () => R | PromiseLike<R>,
): Promise<R> {
  trackAcrossAwait()
  const parent = currentFrame()
  if (outerHold(lock, parent)) return runInside(object, lock, access, fn)
  const record = readWriteLock.recordOf(lock)
  const again = readerOnPath(lock) !== undefined
  beginCall(lock)
  try {
    await read(object, lock, access, record, again)
    const hold = new ReadHold(lock, access.name)
    try {
      return await runInFrame({ parent, holds: hold }, fn)
    } finally {
      hold.ended = true
      readWriteLock.releaseRead(lock, record)
    }
  } finally {
    endCall(lock)
  }
}

async function read(object: object, lock: number, access: Access, record: number, again: boolean): Promise<void> {
  while ((await readWriteLock.read(lock, record, again, access.what)) === 'abandoned' && !again) {
    readWriteLock.releaseRead(lock, record)
    await runInside(object, lock, access, () => {})
  }
}

function goInNow(object: object, lock: number, access: Access, frame: Frame | undefined): Hold | undefined {
  const outer = outerHold(lock, frame)
  if (outer) {
    // Not from within a segment: its synchronous code is still inside.
    if (isInside(lock) || !outer.queue.tryEnter()) return undefined
    return (outer.inner = new Hold(object, lock, access, outer))
  }
  if (waiting.has(lock) || isOwn(lock)) return undefined
  const outcome = hasReaders(object, access.group) ? readWriteLock.tryWrite(lock) : takeFree(lock)
  return outcome === 'held' ? undefined : becomeRoot(object, lock, access, outcome)
}

/** Passes over nobody who waits. */
function takeFree(lock: number): Outcome | 'held' {
  return Atomics.compareExchange(i32, lock >> 2, 0, ownThreadId()) === 0 ? 'acquired' : 'held'
}

async function goIn(object: object, lock: number, access: Access, frame: Frame | undefined): Promise<Hold> {
  for (;;) {
    const outer = outerHold(lock, frame)
    if (!outer) break
    await outer.queue.enter()
    if (!outer.ended) return (outer.inner = new Hold(object, lock, access, outer))
    outer.queue.leave()
  }
  waiting.set(lock, (waiting.get(lock) ?? 0) + 1)
  try {
    const { what, group } = access
    const outcome = await (hasReaders(object, group) ? readWriteLock.write(lock, what) : acquire(lock, { what }))
    return becomeRoot(object, lock, access, outcome)
  } finally {
    const left = waiting.get(lock)! - 1
    if (left === 0) waiting.delete(lock)
    else waiting.set(lock, left)
  }
}

function becomeRoot(object: object, lock: number, access: Access, outcome: Outcome): Hold {
  if (outcome === 'abandoned') takeOver(object, lock, access)
  const hold = new Hold(object, lock, access, undefined)
  roots.set(lock, hold)
  endSegment(lock)
  return hold
}

function end(hold: Hold): void {
  hold.ended = true
  if (!hold.inner) passOn(hold)
}

function passOn(hold: Hold): void {
  const { object, lock, access, outer } = hold
  if (outer) {
    outer.inner = undefined
    outer.queue.leave()
    if (outer.ended) passOn(outer)
    return
  }
  roots.delete(lock)
  const mode = (lock >> 2) + MODE
  if ((i32[mode] & DIRTY) !== 0) commit(object, lock, access)
  else i32[mode] = 0
  releaseLock(object, lock, access)
}
