/**
 * A call that blocks its thread until it is answered.
 *
 *   made ─ nap until the callee is up, if it had to be woken ─ look ─ answered? ─ callee awake? ─ spin ─┐
 *                                                               ↑                                      │
 *                                                               └──────────────────────────────────────┘
 *   then ─ receive all messages ─ answered? ─ callee alive? ─ in time? ─ sleep until something is posted ─┐
 *              ↑                                                                                          │
 *              └──────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * While it blocks, the thread receives what comes by any of its links: answers settle what they settle (the
 * reactions of promises run later), calls that its own one has led to are served (`blocked-thread.ts`), all else
 * is noted. Core's `inbox.ts` says why no message is slept through, `blocked-calls.ts` how cycles of such
 * threads end.
 *
 * Without a deadline it waits for ever for a thread that computes, or that is blocked itself: a cycle of those is
 * found. A thread that does neither, and hasn't answered for long, may be awaiting what this one is to do; nobody can
 * prove it. So it is asked, and if it answers that the call waits or awaits there, that is a TimeoutError.
 */
import { CannotBlockError } from '@flatshare/core'
import {
  canBlock,
  clock,
  drainLines,
  hasDoorbell,
  isAlive,
  isAwake,
  noteCall,
  ownThreadId,
  parkedAt,
  postsNow,
  receiveUntil,
  refuseCycle,
  stayAwake,
  type ThreadId,
  threadName,
} from '@flatshare/core/internal'
import type { AwaitedCall, CallTarget } from './awaited-call.js'
import { beginBlocking, endBlocking, startNested } from './blocked-thread.js'
import type { CallSettings } from './call-settings.js'
import { atCall } from './call-trace.js'
import { AWAITING_CALLEE_MS } from './calling.js'
import { ASK, type How, labelOf } from './messages.js'
import { LONGEST_WAIT, Patience } from './patience.js'
import type { Peer } from './peer.js'
import { drainLinks, peers } from './peers.js'
import { schedulePump } from './pump.js'
import { comesUp, coreIsFree, NEAR } from './spinning.js'
import { flushLinks } from './unsent.js'

/** How long a thread sleeps between two looks at what nobody wakes it for: longer the longer it waits. */
const SHORTEST_PAUSE_MS = 0.05
const LONGEST_PAUSE_MS = 1

/** While others post without a pause, nobody looks at the clock. */
const MOST_ROUNDS = 64

const patience = new Patience()

/**
 * Calls, and blocks until there is an answer.
 *
 * @throws what the call throws, CannotBlockError, DeadlockError, DisconnectedError, TimeoutError.
 */
export function callAndBlock(
  peer: Peer,
  target: CallTarget,
  how: How,
  member: string,
  args: unknown[],
  settings: CallSettings | undefined,
  keep: unknown,
): unknown {
  if (!canBlock() || !peer.link.drains)
    throw cannotBlock(peer, labelOf(target.name, how, member), labelOf('proxy', how, member))
  const call = peer.calls.callBlocking(target, how, member, args, settings, keep)
  if (!call.settled) {
    beginBlocking(call)
    // Who posts for it need only end its sleep, and not ring for its event loop as well.
    if (hasDoorbell) stayAwake()
    try {
      if (!answeredSoon(peer, call)) block(peer, call)
    } finally {
      endBlocking()
      if (hasDoorbell) schedulePump()
    }
  }
  return call.end()
}

/** Waits without sleeping, where an answer may be near. */
function answeredSoon(peer: Peer, call: AwaitedCall): boolean {
  const { link, threadId } = peer
  const before = postsNow()
  flushLinks()
  if (link.kind === 'port' || comesUp(before) || !mayAnswerSoon(threadId, link.pace)) return false
  const stillAwake = () => isAwake(threadId)
  let now = clock()
  for (let rounds = 0; rounds < MOST_ROUNDS && now !== 0; rounds++) {
    const seen = postsNow()
    // What has come may be from others: a call that this one has led to.
    if (rounds > 0) receiveAll(peer, call)
    else link.look()
    if (call.settled) return true
    now = link.spin?.(seen, now, LONGEST_WAIT, stillAwake) ?? 0
    patience.note(now !== 0)
  }
  return false
}

/** A thread that is awake takes a call from shared memory at once. */
function mayAnswerSoon(thread: ThreadId, pace: number): boolean {
  return thread !== ownThreadId() && pace < NEAR && isAwake(thread) && coreIsFree() && patience.tries()
}

/** Returns when the call has its outcome. */
function block(peer: Peer, call: AwaitedCall): void {
  const { id, deadline } = call
  const callee = peer.threadId
  const receive = () => {
    receiveAll(peer, call)
    // The end of its thread is seen here before the event loop tells of it.
    if (!call.settled && callee !== 0 && !isAlive(callee)) {
      peer.link.drain()
      peer.calls.lose(id)
    }
    if (!call.settled && peer.link.stuck) peer.calls.giveUp(id, unreadable(peer, call), atCall)
    return call.settled !== undefined
  }
  let end = deadline ?? Date.now() + AWAITING_CALLEE_MS
  const announce = (seen: number) => noteCall(callee, seen)
  let pause = SHORTEST_PAUSE_MS
  try {
    for (;;) {
      const until = mustPoll() ? Math.min(end, Date.now() + pause) : end
      if (receiveUntil(receive, { end: until, what: call.label, announce, refuse: refuseCycle })) return
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
      if (Date.now() < end) continue
      if (deadline !== undefined) {
        peer.calls.timeOut(id)
        return
      }
      if (parkedAt(callee) === 0) peer.link.send([ASK, id])
      end = Date.now() + AWAITING_CALLEE_MS
    }
  } catch (error) {
    // A cycle, or no memory: nobody waits for the call any more.
    peer.calls.giveUp(id, error, atCall)
  }
}

/** Whether something may come by a link of another process, which wakes nobody. */
function mustPoll(): boolean {
  for (const { link } of peers) if (link.polled && link.drains) return true
  return false
}

function receiveAll(peer: Peer, call: AwaitedCall): void {
  // By itself it may suffice.
  peer.link.look()
  if (call.settled) return
  peer.link.drain()
  if (call.settled) return
  drainLines()
  drainLinks()
  startNested()
  flushLinks()
}

function cannotBlock(peer: Peer, label: string, instead: string): CannotBlockError {
  const unread = peer.link.apart
    ? 'reads what comes from that process by its event loop alone, as over an IPC channel or TLS (a pipe, or a socket ' +
      'without TLS, can be read while it blocks)'
    : "can't read messages while it blocks"
  const why = canBlock() ? unread : 'may not block'
  return new CannotBlockError(
    `${label} of the thread "${peer.name}" can't be waited for: the thread "${threadName(ownThreadId())}" ${why}. ` +
      `Instead: await ${instead}.`,
  )
}

/** It will never be read while this thread blocks. */
function unreadable(peer: Peer, { how, member, label }: AwaitedCall): CannotBlockError {
  return new CannotBlockError(
    `${label} of the thread "${peer.name}" can't be waited for any longer: its answer, or a message before it, is too ` +
      'large for shared memory, or moves something, and only the event loop of the thread ' +
      `"${threadName(ownThreadId())}" can read it. Instead: await ${labelOf('proxy', how, member)}.`,
  )
}
