/**
 * Blocking until messages come.
 *
 * Each thread's slot counts what was posted to it, by ports or otherwise. Whoever posts raises the count
 * afterwards, and wakes the thread if it is parked on it.
 *
 *   poster:  post │ posts += 1 │ load parked                  │ notify if that is posts
 *   reader:  seen := posts │ receive all that is there        │ parked := posts │ wait(posts, seen)
 *
 * What the reader didn't receive was counted after `seen` was read. Then either the wait finds another
 * count, or the poster finds the reader parked, and wakes it. A death counts as a post to every thread
 * (`park.ts`): who looks whether another thread lives, after `seen` was read, doesn't sleep through its end.
 *
 * Invariant: a thread that has parked itself has counted all that it posted before; so a thread that is parked
 * with posts = seen has received all that came from it (`blocked-calls.ts` builds on that).
 *
 * The count belongs to the slot: a post to the thread that had it before is at worst a look too many.
 */
import { i32 } from './memory.js'
import { park, parkedAt } from './park.js'
import { livingThreads, ownThreadId, SlotWord, slotOf, type ThreadId } from './threads.js'

/** All that blocking for messages touches outside of its own thread; tests give a model of it. */
export interface InboxMemory {
  load(address: number): number
  add(address: number, delta: number): void
  notify(address: number): void
  /** Blocks, as core's `park` does. */
  park(address: number, expected: number, timeout: number, worthwhile: () => boolean, what: string): unknown
  ownThreadId(): ThreadId
  /** The address of the count of what was posted to a thread. */
  postsOf(id: ThreadId): number
  parkedAt(id: ThreadId): number
  /** Milliseconds. */
  now(): number
}

/** How to block for messages. */
export interface ReceiveOptions {
  /** When to give up, as `now` counts. */
  readonly end: number
  /** What this thread waits for, for the errors of others. */
  readonly what: string
  /** Called before each sleep, with the count of posts that were received, to say it where others can read it. */
  announce(seen: number): void
  /** Called between the announcement and the sleep; what it throws ends the wait. */
  refuse(): void
}

/** Blocking for messages over a memory. */
export function makeInbox(memory: InboxMemory) {
  /** Wakes a thread if it blocks for messages: to be called after each post to it. It never blocks. */
  function posted(id: ThreadId): void {
    const posts = memory.postsOf(id)
    memory.add(posts, 1)
    if (memory.parkedAt(id) === posts) memory.notify(posts)
  }

  /**
   * Blocks until `receive`, which receives what is there, says that it suffices; false when it is too late. It
   * sleeps only where nothing has come since the last look began.
   */
  function receiveUntil(receive: () => boolean, { end, what, announce, refuse }: ReceiveOptions): boolean {
    const posts = memory.postsOf(memory.ownThreadId())
    for (;;) {
      const seen = memory.load(posts)
      if (receive()) return true
      const left = end === Infinity ? Infinity : end - memory.now()
      if (left <= 0) return false
      announce(seen)
      const worthwhile = () => {
        refuse()
        return true
      }
      memory.park(posts, seen, left, worthwhile, what)
    }
  }

  return { posted, receiveUntil }
}

/** The address of the count of what was posted to a thread. */
export function postsOf(id: ThreadId): number {
  return (slotOf(id) + SlotWord.posts) << 2
}

const inbox = makeInbox({
  load: (address) => Atomics.load(i32, address >> 2),
  add: (address, delta) => void Atomics.add(i32, address >> 2, delta),
  notify: (address) => void Atomics.notify(i32, address >> 2),
  park: (address, expected, timeout, worthwhile, what) => park(address, expected, timeout, { worthwhile, what }),
  ownThreadId,
  postsOf,
  parkedAt,
  now: () => Date.now(),
})

export const { posted, receiveUntil } = inbox

/** As `posted`, for a post to who knows which thread. */
export function postedToSomebody(): void {
  for (const id of livingThreads()) posted(id)
}
