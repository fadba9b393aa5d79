/** The lock of an object, as its `@Reads` members take it: many of all threads at once, and none that writes. */
import { i32 } from '@flatshare/core/internal'
import type { Access } from './access.js'
import { AWAITING, MODE } from './lock-mode.js'
import {
  AWAITING_HOLDER_MS,
  enter,
  enterSegment,
  isOwn,
  leave,
  REENTERED,
  retryOrThrow,
  SEGMENT,
} from './object-lock.js'
import { hasReaders, readWriteLock } from './read-lock.js'
import { readsOptimistically } from './reads-in-progress.js'

/** What `leaveRead` has to undo: an entry of `object-lock.ts`, or the address of this thread's reader record. */
export type ReadEntry = number

/**
 * Takes the lock for synchronous code that only reads. Where the running code is inside already, for whatever, it goes
 * in.
 *
 * @throws AbandonedError, DeadlockError, CannotBlockError, TimeoutError as `enter`.
 */
export function enterToRead(object: object, lock: number, access: Access): ReadEntry {
  if (isOwn(lock)) return (i32[(lock >> 2) + MODE] & AWAITING) === 0 ? REENTERED : enterSegment(object, lock, access)
  if (readsOptimistically(lock)) return REENTERED
  const record = readWriteLock.recordOf(lock)
  while (!readNow(lock, record, access)) {
    // A thread died while it wrote, and who reads can't mend that.
    leave(object, lock, access, enter(object, lock, access))
  }
  return record
}

function readNow(lock: number, record: number, { name, what }: Access): boolean {
  for (;;) {
    try {
      const outcome = readWriteLock.readSync(lock, record, what, AWAITING_HOLDER_MS)
      // Who reads already knows of it, or came before.
      if (outcome === 'acquired' || readWriteLock.readsOf(record) > 1) return true
      readWriteLock.releaseRead(lock, record)
      return false
    } catch (error) {
      retryOrThrow(error, lock, name)
    }
  }
}

export function leaveRead(object: object, lock: number, access: Access, entry: ReadEntry): void {
  if (entry === REENTERED) return
  if (entry === SEGMENT) leave(object, lock, access, entry)
  else readWriteLock.releaseRead(lock, entry)
}

/** Runs `fn`, which runs no program's code, as if by a member that reads a field from outside. */
export function readFromOutside<R>(object: object, lock: number, access: Access, fn: () => R): R {
  // Whoever is inside on this thread is not about to write while this code runs.
  if (isOwn(lock)) return fn()
  if (!hasReaders(object, access.group)) {
    const entry = enter(object, lock, access)
    try {
      return fn()
    } finally {
      leave(object, lock, access, entry)
    }
  }
  const record = readWriteLock.recordOf(lock)
  while (!readNow(lock, record, access)) leave(object, lock, access, enter(object, lock, access))
  try {
    return fn()
  } finally {
    readWriteLock.releaseRead(lock, record)
  }
}
