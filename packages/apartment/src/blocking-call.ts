/**
 * A call that blocks its thread until it is answered.
 *
 *   made ─ receive all messages ─ answered? ─ callee alive? ─ in time? ─ sleep until something is posted ─┐
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
  drainLines,
  isAlive,
  noteCall,
  ownThreadId,
  parkedAt,
  receiveUntil,
  refuseCycle,
  threadName,
} from '@flatshare/core/internal'
import { startNested, whileBlockedOn } from './blocked-thread.js'
import type { CallSettings } from './call-settings.js'
import { atCall, type CallTrace } from './call-trace.js'
import { AWAITING_CALLEE_MS, type CallTarget, type MadeCall } from './calling.js'
import { ASK, type How, labelOf } from './messages.js'
import type { Peer } from './peer.js'
import { drainLinks } from './peers.js'
import { flushLinks } from './unsent.js'

type Outcome = { readonly value: unknown } | { readonly error: unknown }

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
  trace: CallTrace,
  settings: CallSettings | undefined,
): unknown {
  if (!canBlock() || !peer.link.drains)
    throw cannotBlock(peer, labelOf(target.name, how, member), labelOf('proxy', how, member))
  let outcome: Outcome | undefined
  const made = peer.calls.call(target, how, member, args, trace, settings, {
    resolve(value) {
      outcome = { value }
    },
    reject(error) {
      outcome = { error }
    },
  })
  if (made) whileBlockedOn(made, () => block(peer, made, trace, () => outcome !== undefined))
  const { value, error } = outcome as { value?: unknown; error?: unknown }
  if ('error' in outcome!) throw error
  return value
}

/** Returns when the call has its outcome. */
function block(peer: Peer, made: MadeCall, trace: CallTrace, isSettled: () => boolean): void {
  const { id, label, deadline } = made
  const callee = peer.threadId
  const receive = () => {
    receiveAll(peer, isSettled)
    // The end of its thread is seen here before the event loop tells of it.
    if (!isSettled() && callee !== 0 && !isAlive(callee)) {
      peer.link.drain()
      peer.calls.lose(id)
    }
    return isSettled()
  }
  let end = deadline ?? Date.now() + AWAITING_CALLEE_MS
  const announce = (seen: number) => noteCall(callee, seen)
  try {
    while (!receiveUntil(receive, { end, what: label, announce, refuse: refuseCycle })) {
      if (deadline !== undefined) {
        peer.calls.timeOut(id)
        return
      }
      if (parkedAt(callee) === 0) peer.link.send([ASK, id])
      end = Date.now() + AWAITING_CALLEE_MS
    }
  } catch (error) {
    // A cycle, or no memory: nobody waits for the call any more.
    peer.calls.giveUp(id, atCall(error, trace))
  }
}

function receiveAll(peer: Peer, isSettled: () => boolean): void {
  // By itself it may suffice.
  peer.link.drain()
  if (isSettled()) return
  drainLines()
  drainLinks()
  startNested()
  flushLinks()
}

function cannotBlock(peer: Peer, label: string, instead: string): CannotBlockError {
  const why = canBlock() ? "can't read messages while it blocks" : 'may not block'
  return new CannotBlockError(
    `${label} of the thread "${peer.name}" can't be waited for: the thread "${threadName(ownThreadId())}" ${why}. ` +
      `Instead: await ${instead}.`,
  )
}
