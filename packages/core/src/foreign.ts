/**
 * Threads of other processes, as this process knows them.
 *
 * A thread of another process to which a thread of this one has a link takes a slot of the thread table here, and so has
 * an id, a name and an end as any other: `isAlive`, `threadName` and `onThreadExit` know it. It doesn't count where only
 * threads that run here do (`livingThreads`). Its end is the end of the link, or of the thread that has the link.
 *
 *   linked → gone    by `end`, or with the thread that has the link: the supervisor marks it dead, and tells everybody
 *
 * A thread that is reached by two links, from two threads here, has two slots: an id names what one thread here holds.
 *
 * Calls of other processes have numbers of their own, which mean nothing here; `newAlias` gives one for such a call that
 * is none of this process's, and is like the calls of that thread's slot in every other way.
 */
import { aliasOf } from './call.js'
import { endForeign, holdForeign } from './lifecycle.js'
import { arena, Header, u8 } from './memory.js'
import { enterForeign, nameForeign, type ThreadId } from './threads.js'

/** Where a thread runs, and who it is there. */
export interface ThreadHome {
  /** Names the process among all others, for ever. */
  readonly process: string
  /** The operating system's number of it; undefined where there is none. */
  readonly pid: number | undefined
  /** Names the thread in its process. */
  readonly thread: ThreadId
  /** What it calls itself. */
  readonly name: string
}

/** A thread of another process. */
export interface ForeignThread {
  /** Its id here. */
  readonly id: ThreadId
  /** Names it here. */
  rename(name: string): void
  /** An id for a call of its process. */
  newAlias(): number
  /** It has ended, or can't be reached any more. Again does nothing. */
  end(code?: number): void
}

const homes = new Map<ThreadId, ThreadHome>()

let own = ''

/** Names this process among all others; the same on all of its threads. */
export function processName(): string {
  if (own === '') {
    arena()
    own = Array.from(u8.subarray(Header.processName, Header.processName + 16), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('')
  }
  return own
}

/** Enters a thread of another process to which this thread has a link. `name` is what errors call it here. */
export function joinForeign(home: ThreadHome, name: string): ForeignThread {
  const id = enterForeign(name)
  homes.set(id, home)
  holdForeign(id)
  return {
    id,
    rename: (other) => nameForeign(id, other),
    newAlias: () => aliasOf(id),
    end(code) {
      homes.delete(id)
      endForeign(id, code)
    },
  }
}

/** The ids of a thread of another process here: one for each link that this thread has to it. */
export function* foreignAt(process: string, thread: ThreadId): Generator<ThreadId> {
  for (const [id, home] of homes) if (home.thread === thread && home.process === process) yield id
}

/** Where a thread runs to which this thread has a link to another process; undefined for any other. */
export function foreignHome(id: ThreadId): ThreadHome | undefined {
  return homes.get(id)
}
