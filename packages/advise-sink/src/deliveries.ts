/**
 * Deliveries in progress, and who may wait for the end of one.
 *
 * Each delivery runs as a call with an id of its own, which the path of everything that it leads to contains, on whatever
 * threads. It is the id of a call, negated: so whoever sees a path sees that a sink is on it.
 *
 *   the path contains the delivery      it is not waited for: it ends after the running call
 *   the delivery itself waits, through
 *   others, for one on the path         the same
 *   it waits its turn behind another    whoever ends a connection takes back what has not begun
 *   one, at the sink's home
 */
import { TakenBack } from '@flatshare/apartment/internal'
import { type CallId, causality, DeadlockError } from '@flatshare/core'
import { newCallId, ownThreadId, runInFrame, THREAD_SLOTS, type ThreadId, threadName } from '@flatshare/core/internal'

/** Those to or from this thread that it knows of, and of each the deliveries whose end it waits for. */
const inProgress = new Map<CallId, Set<CallId>>()

/** The id of a new delivery. */
export function newDelivery(): CallId {
  return -newCallId()
}

export function isDelivery(id: CallId | undefined): boolean {
  return id !== undefined && id < 0
}

export function beginDelivery(id: CallId): void {
  inProgress.set(id, new Set())
}

export function endDelivery(id: CallId): void {
  inProgress.delete(id)
}

/**
 * Runs the code of a delivery. Its path is that delivery alone, as the call that raised the event has returned; unless
 * that waits.
 */
export function runDelivery<R>(path: readonly CallId[], signal: AbortSignal, fn: () => R): R {
  const call = { caller: ownThreadId(), path, signal, deadline: undefined }
  return runInFrame({ parent: undefined, call }, fn)
}

/**
 * For the calls of a delivery whose answer somebody awaits: fires when that one gives up. What has not begun at the sink
 * then never does; what has goes on, and the delivery is over when that is.
 */
export function takingBack(givingUp: AbortSignal): AbortSignal {
  const taking = new AbortController()
  const takeBack = () => taking.abort(new TakenBack('Nobody waits for the answer of the sink any more.'))
  if (givingUp.aborted) takeBack()
  else givingUp.addEventListener('abort', takeBack, { once: true })
  return taking.signal
}

/** Whether the end of a delivery has to wait for one of a path. */
function waitsForPath(delivery: CallId, path: readonly CallId[]): boolean {
  if (path.includes(delivery)) return true
  for (const next of inProgress.get(delivery) ?? []) if (waitsForPath(next, path)) return true
  return false
}

/** Resolves when a delivery is over, that is when `ended` resolves, or at once inside of it. */
export async function deliveryOver(id: CallId, ended: PromiseLike<unknown>): Promise<void> {
  const path = causality()
  if (waitsForPath(id, path)) return
  const outer = path.flatMap((one) => inProgress.get(one) ?? [])
  for (const waitsFor of outer) waitsFor.add(id)
  await ended
  for (const waitsFor of outer) waitsFor.delete(id)
}

/** @throws DeadlockError inside of a sink: whoever waits there for sinks may wait for itself. */
export function refuseInsideSink(event: string, thread: ThreadId): void {
  // Ids of this thread's own deliveries tell whether those are over: what they have begun may wait.
  const running = causality().find((id) => isDelivery(id) && (inProgress.has(id) || !isOwn(id)))
  if (running === undefined) return
  throw new DeadlockError(
    `raiseAndWait("${event}") was called from inside a sink, on the thread "${threadName(thread)}": it would wait for sinks that wait ` +
      'for this one. Use raise, or wait after the sink has returned.',
  )
}

/** Ids have their maker's slot in them. */
const isOwn = (id: CallId): boolean => -id % THREAD_SLOTS === ownThreadId() % THREAD_SLOTS
