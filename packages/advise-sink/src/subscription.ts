/**
 * One sink's part of a source: a queue, and one delivery at a time.
 *
 *   idle        nothing waits, or a turn that isn't allowed yet is in front
 *   scheduled   something waits; delivered from the event loop, so after the call that raised it
 *   delivering  the sink has a batch, and some more may be on their way to it (the place's window, unless
 *               the queue is small or coalesces); what is raised
 *               meanwhile is the next one
 *   given up    of an event that somebody waited for: only that one is freed; the delivery goes on to its end, if it has
 *               begun at the sink, and nothing else is delivered before that
 *   ended       nothing is delivered any more; a delivery in progress goes on to its end, and then the sink is told
 *
 * So a slow sink gets large batches, a fast one small ones, and nothing ever overtakes.
 *
 * `end` is immediate. Who wants to know that the delivery in progress is over awaits `over` (`deliveries.ts`).
 */
import { flushLinks, isProxy, onGone, TakenBack } from '@flatshare/apartment/internal'
import { type CallId, CannotBlockError, causality, DeadlockError, DisconnectedError } from '@flatshare/core'
import {
  isAlive,
  isThenable,
  keepOne,
  onThreadExitInternal,
  ownThreadId,
  type Raised,
  RaisedBatch,
  type RaisedEvent,
  type RaisedRun,
  soon,
  type ThreadId,
} from '@flatshare/core/internal'
import { beginDelivery, deliveryOver, endDelivery, newDelivery, runDelivery, takingBack } from './deliveries.js'
import type { AdviseOptions } from './notification.js'
import { NotificationQueue, type Turn } from './notification-queue.js'
import { cannotBlock, type Place } from './places.js'
import { reportTo } from './reporting.js'

/** Who waits for the answer of a sink. */
export interface AwaitedTurn extends Turn {
  /** Fires when nobody waits any more. */
  readonly signal: AbortSignal
  /** The sink has heard of it, and given this. */
  heard(answer: unknown): void
  /** The sink hears no more of anything. */
  unheard(): void
}

/** Subscriptions with something to deliver to sinks of this thread. */
const pendingHere = new Set<Subscription>()

/** Delivers to the sinks of this thread what waits for them in sources of this thread; says how much. */
export function deliverPending(): number {
  let delivered = 0
  for (const subscription of [...pendingHere]) delivered += subscription.deliverNow()
  return delivered
}

/** The last batches, the latest first, while they are in use: other sinks may be about to get the same. */
const lastBatches: Array<WeakRef<RaisedBatch>> = []
/** Of one turn of raising. */
const MOST_BATCHES = 8

function batchOf(events: Raised, dropped: number): RaisedBatch {
  for (const reference of lastBatches) {
    const last = reference.deref()
    if (last?.isOf(events, dropped)) return last
  }
  const batch = new RaisedBatch(events, dropped)
  if (lastBatches.unshift(new WeakRef(batch)) > MOST_BATCHES) lastBatches.pop()
  return batch
}

/** What a delivery failed with. */
interface Failure {
  readonly error: unknown
}

/** A delivery in progress. */
class Delivering {
  end = () => {}
  /** Resolves when it is over, and, where all has ended, the sink has been told. */
  readonly over = new Promise<void>((resolve) => {
    this.end = resolve
  })
}

keepOne(new Delivering())

export class Subscription {
  readonly place: Place
  readonly #events: ReadonlySet<string>
  readonly #target: unknown
  readonly #queue: NotificationQueue
  readonly #window: number
  readonly #report: (error: unknown) => void
  readonly #takingBack = new AbortController()
  readonly #onEnd: () => void
  readonly #forget: Array<() => void> = []
  #turns = new Set<AwaitedTurn>()
  #rooms: Array<() => void> = []
  #scheduled = false
  #ended = false
  /** The deliveries in progress, the oldest first. */
  readonly #deliveries = new Map<CallId, Delivering>()
  /** Of those, how many the sink has had, though this thread, which has not left its running code, has not heard so. */
  #had = 0
  /** When the sink has been told of the end. */
  #told: Promise<void> | undefined

  /** The options have been checked. */
  constructor(events: ReadonlySet<string>, place: Place, options: AdviseOptions, onEnd: () => void) {
    const { target, queue = {}, signal, onError } = options
    this.place = place
    this.#events = events
    this.#target = target
    this.#report = reportTo(onError, events)
    this.#queue = new NotificationQueue(queue, this.#report)
    this.#window = this.#queue.sendsAhead ? place.window : 1
    this.#onEnd = onEnd
    const end = () => this.end()
    if (isProxy(place.sink)) this.#forget.push(onGone(place.sink as object, end))
    else if (place.thread !== undefined && place.thread !== ownThreadId()) {
      this.#forget.push(onEndOf(place.thread, end))
    }
    if (signal) {
      signal.addEventListener('abort', end, { once: true })
      this.#forget.push(() => signal.removeEventListener('abort', end))
    }
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  wants(event: string, target: unknown): boolean {
    return this.#events.has(event) && (this.#target === undefined || Object.is(this.#target, target))
  }

  /** Whether it is ever full. */
  get blocksSource(): boolean {
    return this.#queue.blocksSource
  }

  get isFull(): boolean {
    return this.#queue.isFull
  }

  push(raised: RaisedEvent): void {
    if (this.#ended) return
    this.#queue.push(raised)
    if (!this.#scheduled) this.#schedule()
  }

  /** Whether events may come by runs: on this thread each sink sees the same object of an event. */
  get takesRuns(): boolean {
    return this.#queue.takesRuns && this.place.thread !== ownThreadId()
  }

  /** The last event of a run. */
  pushLast(run: RaisedRun): void {
    if (this.#ended) return
    this.#queue.pushLast(run)
    if (!this.#scheduled) this.#schedule()
  }

  /** Whether events of a run, whose last one was pushed, needn't be pushed any more, until it is closed. */
  follow(run: RaisedRun): boolean {
    return this.#ended || this.#queue.follow(run)
  }

  /** Puts in an event that somebody waits for; it is delivered once `allow` is called. */
  pushTurn(turn: AwaitedTurn): void {
    this.#turns.add(turn)
    this.#queue.pushTurn(turn)
  }

  allow(turn: AwaitedTurn): void {
    turn.isAllowed = true
    if (this.#ended) turn.unheard()
    else if (!this.#scheduled) this.#schedule()
  }

  giveUp(turn: AwaitedTurn): void {
    this.#turns.delete(turn)
    this.#queue.giveUp(turn)
    if (!this.#ended && !this.#scheduled) this.#schedule()
  }

  /**
   * Delivers some of what waits: it is on its way while more is raised, as far as the place's window allows. Else this
   * thread blocks until the sink has had it, and with it all that was on the way, as the sink has one batch at a time.
   *
   * @throws CannotBlockError or DeadlockError where that can't be; then nothing was delivered.
   */
  makeRoom(): void {
    const next = this.#queue.take()
    if (next === undefined || 'turn' in next) {
      if (next) this.#queue.putTurnBack(next.turn, next.dropped)
      throw cannotBlock('an event that somebody waits for, by raiseAndWait, is in front of it')
    }
    if (this.#window > 1 && this.#deliveries.size - this.#had < this.#window) {
      this.#deliver(batchOf(next.events, next.dropped), undefined)
      flushLinks()
      this.lookForRoom()
      return
    }
    const id = newDelivery()
    beginDelivery(id)
    try {
      // It is a part of the running call: where the sink's thread blocks for that, it serves this one.
      runDelivery([...causality(), id], this.#takingBack.signal, () => {
        this.place.deliverBlocking(batchOf(next.events, next.dropped))
      })
      this.#had = this.#deliveries.size
      this.lookForRoom()
    } catch (error) {
      if (error instanceof CannotBlockError || error instanceof DeadlockError) {
        this.#queue.putBack(next.events, next.dropped)
        throw error
      }
      if (!this.#ended) this.#failed(error)
    } finally {
      endDelivery(id)
    }
  }

  /** Whether so many more can be raised. */
  hasRoom(count: number): boolean {
    return this.#queue.hasRoom(count)
  }

  /** Resolves when there may be more room. */
  room(): Promise<void> {
    return new Promise((resolve) => this.#rooms.push(resolve))
  }

  /** Whoever waits for room is to look again. */
  lookForRoom(): void {
    for (const resolve of this.#rooms.splice(0)) resolve()
  }

  /** Delivers to a sink of this thread now, unless it is being called; says how much. */
  deliverNow(): number {
    let delivered = 0
    const { end } = this.#queue
    while (this.#queue.isBefore(end) && this.#deliveries.size === 0) {
      const count = this.#deliverNext()
      if (count === 0) break
      delivered += count
    }
    return delivered
  }

  /** Nothing is delivered from now on. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#queue.clear()
    // What has not begun at the sink never does.
    this.#takingBack.abort(new TakenBack('The sink was unadvised.'))
    pendingHere.delete(this)
    for (const forget of this.#forget) forget()
    this.#onEnd()
    this.lookForRoom()
    for (const turn of this.#turns) if (turn.isAllowed) turn.unheard()
    if (this.#deliveries.size === 0) void this.#tellEnd()
  }

  /**
   * Resolves when the deliveries in progress are over, and the sink has been told, or at once inside of one. Call `end`
   * before.
   */
  async over(): Promise<void> {
    const ends = [...this.#deliveries].map(([id, { over }]) => deliveryOver(id, over))
    if (ends.length > 0) await Promise.all(ends)
    else await this.#told
  }

  #schedule(): void {
    this.#scheduled = true
    if (this.place.thread === ownThreadId()) pendingHere.add(this)
    soon(() => {
      this.#scheduled = false
      this.#queue.mark()
      this.#deliverMarked()
    })
  }

  /**
   * Delivers what was there in the event loop's last turn: the calls that caused it have returned. And a sink that raises,
   * each time it is called, leaves the event loop its turns.
   */
  #deliverMarked(): void {
    while (this.#deliveries.size < this.#window && this.#deliverNext(true) > 0);
  }

  /** Says how much. */
  #deliverNext(marked = false): number {
    const next = this.#queue.take(marked)
    if (next === undefined) return 0
    if ('turn' in next) {
      const turn = next.turn as AwaitedTurn
      this.#turns.delete(turn)
      this.#deliver(batchOf([turn.raised], next.dropped), turn)
      return 1
    }
    this.lookForRoom()
    this.#deliver(batchOf(next.events, next.dropped), undefined)
    return next.events.length
  }

  #deliver(batch: RaisedBatch, turn: AwaitedTurn | undefined): void {
    const id = newDelivery()
    const taking = this.#takingBack.signal
    const signal = turn ? AbortSignal.any([turn.signal, taking]) : taking
    const sending = turn ? takingBack(signal) : taking
    this.#deliveries.set(id, new Delivering())
    beginDelivery(id)
    let result: unknown
    try {
      result = runDelivery([id], signal, () => this.place.deliver(batch, sending, turn !== undefined))
    } catch (error) {
      this.#delivered(id, turn, undefined, { error })
      return
    }
    if (isThenable(result)) {
      result.then(
        (answer) => this.#answered(id, turn, answer),
        (error: unknown) => this.#answered(id, turn, undefined, { error }),
      )
    } else this.#delivered(id, turn, result)
  }

  #answered(id: CallId, turn: AwaitedTurn | undefined, answer: unknown, failure?: Failure): void {
    this.#delivered(id, turn, answer, failure)
    // Another thread is sent the next one at once: it is awake still.
    const { thread } = this.place
    if (thread !== undefined && thread !== ownThreadId()) this.#deliverMarked()
  }

  #delivered(id: CallId, turn: AwaitedTurn | undefined, answer: unknown, failure?: Failure): void {
    endDelivery(id)
    const { end } = this.#deliveries.get(id)!
    this.#deliveries.delete(id)
    if (this.#had > 0) this.#had--
    // Whoever ended it wants to hear no more, and its thread may be gone.
    if (failure && !this.#ended && !isGivingUp(failure.error, turn)) this.#failed(failure.error)
    turn?.heard(answer)
    if (this.#ended) {
      if (this.#deliveries.size === 0) void this.#tellEnd().then(end)
      else end()
      return
    }
    end()
    if (this.#queue.isEmpty) {
      if (this.#deliveries.size === 0) pendingHere.delete(this)
    } else if (!this.#scheduled) this.#schedule()
  }

  #failed(error: unknown): void {
    const { thread } = this.place
    // The thread table may know of its end before this thread is told.
    if (error instanceof DisconnectedError && thread !== undefined && !isAlive(thread)) this.end()
    else this.#report(error)
  }

  /** The last call. */
  #tellEnd(): Promise<void> {
    return (this.#told ??= (async () => {
      try {
        await this.place.unadvised()
      } catch {
        // Its thread may be gone; and who has unadvised wants to hear no more.
      }
    })())
  }
}

/** Whether that is only what became of an event that nobody waits for any more: it was taken back, or its sink stopped. */
function isGivingUp(error: unknown, turn: AwaitedTurn | undefined): boolean {
  if (!turn?.signal.aborted) return false
  if (error instanceof TakenBack || error === turn.signal.reason) return true
  return error instanceof Error && error.name === 'AbortError'
}

const endOf = new Map<ThreadId, Set<() => void>>()

onThreadExitInternal(({ id }) => {
  const callbacks = endOf.get(id)
  endOf.delete(id)
  for (const callback of callbacks ?? []) callback()
})

/** Calls back when a thread has ended; gives how to stop. */
function onEndOf(thread: ThreadId, callback: () => void): () => void {
  let callbacks = endOf.get(thread)
  if (!callbacks) endOf.set(thread, (callbacks = new Set()))
  callbacks.add(callback)
  return () => endOf.get(thread)?.delete(callback)
}
