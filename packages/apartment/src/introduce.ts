/**
 * A link to any thread of the process that uses this package.
 *
 *   unmet    → asked   a port is on its way to the other thread, by the supervisor
 *   unmet    → met     the other thread's port came
 *   asked    → met     HELLO came by the port that this thread sent, or the other thread's port came: both had asked,
 *                      and the supervisor closes the one that came second
 *   any      → ended   the other thread has ended; its id never names another
 *
 * Invariants: two threads have one such link, kept until one of them ends; so the calls of one thread to another's
 * objects keep their order. What both ends of a link know first is what the other serves, by HELLO. A thread that is
 * slow to answer isn't given up, only whoever waits for it: the link stands once it answers.
 */
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import {
  abortReason,
  checkedTimeout,
  holdOpen,
  introduce,
  isAlive,
  isForeign,
  mainThreadId,
  onIntroduction,
  onThreadExitInternal,
  ownThreadId,
  parkedAt,
  settleExits,
  startTimer,
  type ThreadId,
  threadName,
  timeoutError,
  waitNote,
} from '@flatshare/core/internal'
import { ownLinkKind } from './link-kind.js'
import type { Directory } from './messages.js'
import { Peer } from './peer.js'
import { directory } from './serve-table.js'
import { linkOver } from './shared-link.js'

/** A link that stands, and what the other thread served when it was made. */
export interface Met {
  readonly peer: Peer
  readonly serves: Directory | undefined
}

export interface MeetOptions {
  /** Milliseconds until a thread that doesn't answer is given up: 10,000 by default. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const MEET_TIMEOUT = 10_000

/** A thread that was asked, and who waits for its answer. */
interface Asked {
  met?: Met
  readonly waiting: Set<{ resolve(met: Met): void; reject(error: unknown): void }>
}

const threads = new Map<ThreadId, Asked>()

onThreadExitInternal(({ id, name }) => {
  const asked = threads.get(id)
  threads.delete(id)
  for (const { reject } of asked?.waiting ?? []) reject(ended(name))
})

onIntroduction((from, port) => noteLink(new Peer(linkOver(port, ownLinkKind()), { thread: from })).hello(directory()))

const ended = (name: string) =>
  new DisconnectedError(`The thread "${name}" can't be reached: it has ended.`, { mayHaveRun: false })

/** The link to a thread counts from its HELLO on; the first one does. */
function noteLink(peer: Peer): Peer {
  peer.onHello = (serves) => {
    if (isAlive(peer.threadId)) noteMet(peer, serves)
  }
  return peer
}

/** Notes a link that was made in another way, and that lasts as long as both threads: it serves for this, too. */
export function noteMet(peer: Peer, serves: Directory | undefined): void {
  const asked = entryOf(peer.threadId)
  if (asked.met && !asked.met.peer.gone) return
  const met: Met = { peer, serves }
  asked.met = met
  for (const { resolve } of asked.waiting) resolve(met)
}

function entryOf(thread: ThreadId): Asked {
  let asked = threads.get(thread)
  if (!asked) threads.set(thread, (asked = { waiting: new Set() }))
  return asked
}

function ask(thread: ThreadId): void {
  const { port1, port2 } = new MessageChannel()
  noteLink(new Peer(linkOver(port1, ownLinkKind()), { thread })).hello(directory())
  introduce(thread, port2)
}

/**
 * The link to another thread, made at first use and kept. It needs the supervisor and the other thread, nobody else:
 * the main thread may block meanwhile.
 *
 * @throws DisconnectedError when the thread has ended.
 * @throws FlatshareError when it doesn't answer in time; it says why, as far as can be seen from here.
 * @throws TypeError for this thread itself.
 */
export async function meet(thread: ThreadId, { timeout, signal }: MeetOptions = {}): Promise<Met> {
  const limit = checkedTimeout(timeout ?? MEET_TIMEOUT, 'timeout')
  if (thread === ownThreadId()) throw new TypeError('A thread has no link to itself.')
  if (signal?.aborted) throw abortReason(signal)
  if (!isAlive(thread)) throw ended(threadName(thread))
  const known = threads.get(thread)
  if (known?.met?.peer.gone === false) return known.met
  if (isForeign(thread)) throw notLinked(thread)
  if (!known || known.met) ask(thread)
  const { waiting } = entryOf(thread)
  return new Promise((resolve, reject) => {
    const settle =
      <T>(then: (value: T) => void) =>
      (value: T) => {
        letGo()
        stopTimer()
        signal?.removeEventListener('abort', aborted)
        waiting.delete(waiter)
        then(value)
      }
    // The link alone doesn't keep this thread alive, and there may be no limit.
    const letGo = holdOpen()
    const waiter = { resolve: settle(resolve), reject: settle(reject) }
    const aborted = () => waiter.reject(abortReason(signal!))
    const stopTimer = startTimer(limit, () => waiter.reject(notAnswered(thread, Math.ceil(limit))))
    signal?.addEventListener('abort', aborted, { once: true })
    waiting.add(waiter)
  })
}

function notLinked(thread: ThreadId): DisconnectedError {
  const message =
    `The thread "${threadName(thread)}" can't be reached: it is of another process, and this thread has no link to it. ` +
    'Open or attach to it here, or have what is used from there handed on.'
  return new DisconnectedError(message, { mayHaveRun: false })
}

function notAnswered(thread: ThreadId, timeout: number): FlatshareError {
  const note = parkedAt(thread) === 0 ? undefined : waitNote(thread) || 'a word of shared memory'
  const why = note
    ? `it blocks, waiting for ${note}`
    : 'its module has not imported @flatshare/apartment, or it is busy and its event loop does not turn'
  const cause = timeoutError(`No answer within ${timeout} ms.`)
  return new FlatshareError(`The thread "${threadName(thread)}" has not answered within ${timeout} ms: ${why}.`, {
    cause,
  })
}

/**
 * The id of the process's main thread, which joins when the first other thread does.
 *
 * @throws FlatshareError when that hasn't imported Flatshare.
 */
export async function findMainThread({ timeout = MEET_TIMEOUT, signal }: MeetOptions = {}): Promise<ThreadId> {
  ownThreadId()
  if (mainThreadId() !== 0) return mainThreadId()
  let stopTimer: (() => void) | undefined
  let aborted: (() => void) | undefined
  try {
    await Promise.race([
      settleExits(),
      new Promise((_resolve, reject) => {
        stopTimer = startTimer(checkedTimeout(timeout, 'timeout'), () => reject(mainMissing()))
        aborted = () => reject(abortReason(signal!) as Error)
        if (signal?.aborted) aborted()
        else signal?.addEventListener('abort', aborted, { once: true })
      }),
    ])
  } finally {
    stopTimer?.()
    signal?.removeEventListener('abort', aborted!)
  }
  if (mainThreadId() === 0) throw mainMissing()
  return mainThreadId()
}

const mainMissing = () =>
  new FlatshareError(
    "The main thread can't be reached: it has not imported Flatshare, or its event loop does not turn.",
  )

/** As `meet`, for who needs the link alone. */
export async function peerOf(thread: ThreadId, options?: MeetOptions): Promise<Peer> {
  return (await meet(thread, options)).peer
}
