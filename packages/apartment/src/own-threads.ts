/** Threads that this one may end: those that it has opened or attached to. */
import type { ThreadId } from '@flatshare/core'

const owned = new Map<ThreadId, (cause: Error) => void>()

/** Notes how to end a thread; calls pending on it then reject with the cause that is given. Gives how to forget it. */
export function ownThread(thread: ThreadId, end: (cause: Error) => void): () => void {
  owned.set(thread, end)
  return () => {
    if (owned.get(thread) === end) owned.delete(thread)
  }
}

/** Whether this thread may end that one. */
export function ownsThread(thread: ThreadId): boolean {
  return owned.has(thread)
}

/** Ends a thread of this one's, at once. Does nothing where it has ended already. */
export function endOwnThread(thread: ThreadId, cause: Error): void {
  owned.get(thread)?.(cause)
}
