/**
 * One sink's part of a source: a queue, and one delivery at a time.
 *
 *   idle        nothing waits
 *   scheduled   something waits; delivered from the event loop, so after the call that raised it
 *   delivering  the sink has a batch; what is raised meanwhile is the next one
 *   ended       nothing is delivered any more; a delivery in progress goes on to its end
 *
 * So a slow sink gets large batches, a fast one small ones, and nothing ever overtakes.
 *
 * `end` is immediate. Who wants to know that the delivery in progress is over awaits `over`. That would
 * never come where the waiting is itself part of that delivery: each delivery runs as a call with an id of
 * its own, which the path of everything that it leads to contains, on whatever threads. So
 *
 *   the path contains the delivery      it is not waited for: it ends after the running call
 *   the delivery itself waits, through
 *   others, for one on the path         the same
 *   the path contains another delivery  the batch waits behind it at the sink's home, so it is taken
 *   to the same sink object             back there before it could start
 */
import { callWith } from '@flatshare/apartment'
import { isProxy, onGone } from '@flatshare/apartment/internal'
import { type CallId, causality } from '@flatshare/core'
import { freezeWhole, newCallId, ownThreadId, runInFrame, soon } from '@flatshare/core/internal'
import type { AdviseOptions, AdviseSink, AdviseSinkOrFunction } from './notification.js'

/** A notification as the source keeps it. */
export interface Raised {
  readonly event: string
  readonly payload: unknown
  readonly target?: unknown
  readonly sequence: number
  readonly dropped?: number
}

const LIMIT = 65_536
const BATCH = 4_096

interface Delivery {
  readonly sink: object
  /** The deliveries that it waits for the end of. */
  readonly waitsFor: Set<CallId>
}

/** The deliveries of this thread's sources that are in progress. */
const inProgress = new Map<CallId, Delivery>()

/** Whether the end of a delivery has to wait for one of a path. */
function waitsForPath(delivery: CallId, path: readonly CallId[]): boolean {
  if (path.includes(delivery)) return true
  for (const next of inProgress.get(delivery)?.waitsFor ?? []) if (waitsForPath(next, path)) return true
  return false
}

export class Subscription {
  readonly #events: ReadonlySet<string>
  readonly #sink: AdviseSinkOrFunction
  readonly #deliver: (batch: readonly Raised[]) => unknown
  readonly #options: AdviseOptions
  readonly #limit: number
  readonly #takingBack = new AbortController()
  readonly #onEnd: () => void
  readonly #forget: Array<() => void> = []
  #queue: Raised[] = []
  #first = 0
  #dropped = 0
  #scheduled = false
  #ended = false
  #delivery: CallId | undefined
  #delivered: Promise<void> | undefined

  constructor(events: ReadonlySet<string>, sink: AdviseSinkOrFunction, options: AdviseOptions, onEnd: () => void) {
    const { queue: { limit = LIMIT, policy = 'drop-oldest' } = {}, signal } = options
    if (policy !== 'drop-oldest') {
      throw new RangeError(`The policy of a queue is 'drop-oldest', not ${String(policy)}.`)
    }
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(`The limit of a queue is a whole number from 1, not ${String(limit)}.`)
    }
    signal?.throwIfAborted()
    this.#events = events
    this.#sink = sink
    this.#options = options
    this.#limit = limit
    this.#onEnd = onEnd
    this.#deliver = delivering(sink, this.#takingBack.signal)
    const end = () => this.end()
    if (isProxy(sink)) this.#forget.push(onGone(sink, end))
    if (signal) {
      signal.addEventListener('abort', end, { once: true })
      this.#forget.push(() => signal.removeEventListener('abort', end))
    }
  }

  wants(event: string, target: unknown): boolean {
    return this.#events.has(event) && (this.#options.target === undefined || Object.is(this.#options.target, target))
  }

  push(notification: Raised): void {
    this.#queue.push(notification)
    if (this.#queue.length - this.#first > this.#limit) {
      this.#first++
      this.#dropped++
      if (this.#first > this.#limit) this.#compact()
    }
    this.#schedule()
  }

  /** Nothing is delivered from now on. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#queue = []
    this.#first = 0
    for (const forget of this.#forget) forget()
    this.#onEnd()
  }

  /** Resolves when the delivery in progress is over, or at once inside of it. Call `end` before. */
  async over(): Promise<void> {
    const delivery = this.#delivery
    if (delivery === undefined) return
    const path = causality()
    if (waitsForPath(delivery, path)) return
    const outer = path.flatMap((id) => inProgress.get(id) ?? [])
    if (isProxy(this.#sink) && outer.some(({ sink }) => sink === this.#sink)) return this.#takingBack.abort()
    for (const { waitsFor } of outer) waitsFor.add(delivery)
    await this.#delivered
    for (const { waitsFor } of outer) waitsFor.delete(delivery)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    soon(() => {
      if (this.#ended) return
      this.#delivered = this.#deliverBatch()
    })
  }

  async #deliverBatch(): Promise<void> {
    const batch = this.#take()
    const id = newCallId()
    this.#delivery = id
    inProgress.set(id, { sink: this.#sink, waitsFor: new Set() })
    try {
      // A call of its own: it doesn't belong to the one that raised the event, which has returned.
      const call = { caller: ownThreadId(), path: [id], signal: this.#takingBack.signal, deadline: undefined }
      await runInFrame({ parent: undefined, call }, () => this.#deliver(batch))
    } catch (error) {
      // Whoever ended it wants to hear no more, and its thread may be gone.
      if (!this.#ended) this.#report(error)
    } finally {
      inProgress.delete(id)
      this.#delivery = undefined
      this.#scheduled = false
      if (this.#queue.length > this.#first) this.#schedule()
    }
  }

  #take(): readonly Raised[] {
    const end = Math.min(this.#queue.length, this.#first + BATCH)
    const batch = this.#queue.slice(this.#first, end)
    this.#first = end
    this.#compact()
    if (this.#dropped > 0) {
      batch[0] = Object.freeze({ ...batch[0], dropped: this.#dropped })
      this.#dropped = 0
    }
    return freezeWhole(batch)
  }

  #compact(): void {
    this.#queue = this.#first === this.#queue.length ? [] : this.#queue.slice(this.#first)
    this.#first = 0
  }

  #report(error: unknown): void {
    const { onError } = this.#options
    const toConsole = (thrown: unknown) => {
      console.error(`An advise sink for ${[...this.#events].join(', ')} threw:`, thrown)
    }
    if (onError) void (async () => onError(error))().catch(toConsole)
    else toConsole(error)
  }
}

/** How to call a sink, wherever it lives. */
function delivering(sink: AdviseSinkOrFunction, takeBack: AbortSignal): (batch: readonly Raised[]) => unknown {
  if (typeof sink === 'function') return sink
  const callable: AdviseSink = isProxy(sink) ? callWith(sink, { signal: takeBack }) : sink
  return (batch) => callable.onNotify(batch)
}
