/** Where the object behind a reference lives. */
import {
  foreignHome,
  ownThreadId,
  processId,
  processName,
  type ThreadHome,
  type ThreadId,
  threadName,
} from '@flatshare/core/internal'
import { stateOf } from './proxy-state.js'
import type { Reference } from './reference.js'

/** Where an object lives: process and thread. */
export interface Home {
  /** Names the process among all others, for ever; the same text on all of its threads. */
  readonly process: string
  /** The operating system's number of the process, where it has one. */
  readonly pid: number | undefined
  /** The thread, as this process numbers threads: what `onThreadExit` tells at its end. */
  readonly threadId: ThreadId
  /** What the thread is called. */
  readonly thread: string
  /** Whether it is in this process, which shares its memory with no other. */
  readonly isHere: boolean
}

/** Where it lives, as its own process says. */
export function homeOfReference({ origin, home, homeName }: Reference): ThreadHome {
  return origin ?? foreignHome(home) ?? { process: processName(), pid: processId, thread: home, name: homeName }
}

/**
 * The process and the thread on which an object lives: of a proxy, where its calls run; of anything else, this thread.
 *
 * @throws TypeError for what is no object or function.
 * @example
 * if (!homeOf(account).isHere) console.warn('each call goes to process', homeOf(account).pid)
 */
export function homeOf(ref: object): Home {
  if ((typeof ref !== 'object' && typeof ref !== 'function') || ref === null) {
    throw new TypeError('homeOf takes an object, or a proxy of one.')
  }
  const reference = stateOf(ref)?.reference
  const threadId = reference ? reference.home : ownThreadId()
  const { process, pid, name } = reference
    ? homeOfReference(reference)
    : { process: processName(), pid: processId, name: threadName(threadId) }
  return { process, pid, threadId, thread: name, isHere: process === processName() }
}
