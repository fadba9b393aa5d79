/**
 * `raiseAndWait`: an event that sinks hear of one after the other, in the order in which they were advised.
 *
 * It takes its place in all queues at once, so nothing that is raised later overtakes it. It is delivered to a sink by
 * itself, once that has heard of all that was raised before, and the sinks in front have answered.
 *
 * Who gives up, by a timeout or a signal, is freed at once. A sink that has been called goes on: to it, the delivery is over
 * when it has answered, and what was raised later comes after.
 *
 * Who waits for a thread that is blocked might wait for itself. So that is looked for: before anything is delivered, and
 * while an answer is awaited, since a thread may block later. One that waits for a call to this thread is refused at once;
 * one that is seen in one and the same wait for some time, too.
 */
import { DeadlockError } from '@flatshare/core'
import {
  abortReason,
  calleeOf,
  ownThreadId,
  parkedAt,
  type RaisedEvent,
  startTimer,
  type ThreadId,
  threadName,
  timeoutError,
  timesParked,
  waitNote,
} from '@flatshare/core/internal'
import { checkedWaiting } from './checked.js'
import { refuseInsideSink } from './deliveries.js'
import type { RaiseAndWaitOptions, RaiseOutcome } from './notification.js'
import type { AwaitedTurn, Subscription } from './subscription.js'

/** Milliseconds between two looks at a thread that is awaited, and in one wait after which it counts as blocked. */
const LOOK = 20
const BLOCKED = 200

/** @param raised makes the event, once nothing speaks against it. */
export async function raiseTurns(
  event: string,
  subscriptions: readonly Subscription[],
  raised: () => RaisedEvent,
  options: RaiseAndWaitOptions,
): Promise<RaiseOutcome> {
  const timeout = checkedWaiting(options)
  refuseInsideSink(event, ownThreadId())
  for (const { place } of subscriptions) refuseBlocked(event, place.thread)
  const what = raised()
  const giving = new AbortController()
  const { signal } = options
  const abort = () => giving.abort(abortReason(signal!))
  signal?.addEventListener('abort', abort, { once: true })
  const stopTimer = startTimer(timeout, () => {
    giving.abort(timeoutError(`raiseAndWait("${event}"): its sinks have not all answered within ${timeout} ms.`))
  })
  const turns = subscriptions.map((subscription) => new WaitingTurn(subscription, what, giving.signal))
  try {
    let notified = 0
    for (const turn of turns) {
      const answer = await turn.take(event)
      if (answer === undefined) continue
      notified++
      if (answer.given === 'stop') return { notified, stopped: true }
    }
    return { notified, stopped: false }
  } catch (error) {
    // What is on its way, and hasn't begun at its sink, is taken back.
    giving.abort(error)
    throw error
  } finally {
    stopTimer()
    signal?.removeEventListener('abort', abort)
    for (const turn of turns) turn.giveUp()
  }
}

class WaitingTurn implements AwaitedTurn {
  isAllowed = false
  droppedAfter = 0
  #settle: (answer: { readonly given: unknown } | undefined) => void = () => {}

  constructor(
    readonly subscription: Subscription,
    readonly raised: RaisedEvent,
    readonly signal: AbortSignal,
  ) {
    subscription.pushTurn(this)
  }

  heard(given: unknown): void {
    this.#settle({ given })
  }

  unheard(): void {
    this.#settle(undefined)
  }

  giveUp(): void {
    this.subscription.giveUp(this)
  }

  /** What the sink answers; undefined where it is none any more. */
  take(event: string): Promise<{ readonly given: unknown } | undefined> {
    const { signal, subscription } = this
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        stopLooking()
        signal.removeEventListener('abort', abort)
        reject(error as Error)
      }
      const abort = () => fail(abortReason(signal))
      const stopLooking = watchThread(event, subscription.place.thread, fail)
      this.#settle = (answer) => {
        stopLooking()
        signal.removeEventListener('abort', abort)
        resolve(answer)
      }
      if (signal.aborted) abort()
      else {
        signal.addEventListener('abort', abort, { once: true })
        subscription.allow(this)
      }
    })
  }
}

/** @throws DeadlockError where that thread waits for this one. */
function refuseBlocked(event: string, thread: ThreadId | undefined): void {
  if (thread === undefined || thread === ownThreadId() || parkedAt(thread) === 0) return
  if (calleeOf(thread) === ownThreadId()) throw blocked(event, thread)
}

/** Calls back with an error if that thread turns out to be blocked. */
function watchThread(event: string, thread: ThreadId | undefined, fail: (error: DeadlockError) => void): () => void {
  if (thread === undefined || thread === ownThreadId()) return () => {}
  let wait = -1
  let looks = 0
  const look = () => {
    const now = parkedAt(thread) === 0 ? -1 : timesParked(thread)
    looks = now >= 0 && now === wait ? looks + 1 : 0
    wait = now
    if (now >= 0 && (calleeOf(thread) === ownThreadId() || looks * LOOK >= BLOCKED)) fail(blocked(event, thread))
    else stop = startTimer(LOOK, look)
  }
  let stop = startTimer(LOOK, look)
  return () => stop()
}

function blocked(event: string, thread: ThreadId): DeadlockError {
  return new DeadlockError(
    `raiseAndWait("${event}") waits for a sink on the thread "${threadName(thread)}", which is blocked: it waits for ` +
      `${waitNote(thread) || 'a word of shared memory'}, and hears of nothing meanwhile. Let it await that instead, or use raise.`,
  )
}
