import { ApartmentThreaded } from '@flatshare/apartment'
import { FlatshareError } from '@flatshare/core'
import { copyFrozen, trackAcrossAwait } from '@flatshare/core/internal'
import { AdviseConnection } from './connection.js'
import type { AdviseOptions, AdviseSinkOrFunction, EventName, Notification } from './notification.js'
import { requireSink } from './sinks.js'
import { type Raised, Subscription } from './subscription.js'

/** What a source is made with. */
export interface AdviseSourceOptions<Events extends object> {
  /** The events that it raises. */
  events: ReadonlyArray<EventName<Events>>
  /** What its notifications are about, unless `raise` says otherwise. */
  target?: unknown
}

/**
 * Raises events, to sinks on whatever threads. It is a field of the object that has the events, whose
 * class may have any threading model; that object passes `advise` on to it.
 *
 * An event is raised without waiting: the call that causes it returns before any sink hears of it. Each
 * sink gets each event that it asked for once, in the order of raising, in batches; one that is slower than
 * the events gets larger batches, and beyond its queue's limit loses the oldest, and is told how many.
 *
 * @example
 * @ApartmentThreaded()
 * class Store {
 *   readonly #source = new AdviseSource<StoreEvents>({ events: ['objectCreated', 'batchDone'] })
 *   advise(...request: AdviseRequest<StoreEvents>) {
 *     return this.#source.advise(...request)
 *   }
 *   create(name: string) {
 *     this.#source.raise('objectCreated', { name })
 *   }
 * }
 */
export class AdviseSource<Events extends object = Record<string, unknown>> {
  readonly #events: ReadonlySet<string>
  readonly #target: unknown
  readonly #subscriptions = new Set<Subscription>()
  readonly #connections = new WeakSet<AdviseConnection>()
  #sequence = 0

  /** @throws TypeError where `events` is no list of names. */
  constructor({ events, target }: AdviseSourceOptions<Events>) {
    if (!Array.isArray(events) || !events.every((event) => typeof event === 'string')) {
      throw new TypeError("A source says which events it raises: new AdviseSource({ events: ['created'] }).")
    }
    this.#events = new Set(events)
    this.#target = target
  }

  /** How many sinks are advised. */
  get connections(): number {
    return this.#subscriptions.size
  }

  /**
   * Lets a sink hear of one kind of event, or of several. The source holds the sink until it is unadvised,
   * its `signal` aborts, or its thread ends.
   *
   * A function, or an object with a method `onNotify`, runs on the thread that made it.
   *
   * @throws FlatshareError for an event that the source doesn't raise.
   * @throws TypeError for what is no sink.
   * @throws RangeError for a queue's limit that is no whole number from 1, and for a policy that there is not.
   * @throws the reason of a signal that has aborted.
   */
  advise<E extends EventName<Events>>(
    events: E | readonly E[],
    sink: AdviseSinkOrFunction<Notification<Events, E>>,
    options: AdviseOptions = {},
  ): AdviseConnection {
    const wanted = new Set<string>(Array.isArray(events) ? events : [events])
    if (wanted.size === 0) throw new FlatshareError(`advise was given no event; there are ${this.#known()}.`)
    for (const event of wanted) this.#require(event)
    requireSink(sink)
    // So that a sink may unadvise, after an await too, without waiting for itself.
    trackAcrossAwait()
    const subscription: Subscription = new Subscription(wanted, sink, options, () =>
      this.#subscriptions.delete(subscription),
    )
    this.#subscriptions.add(subscription)
    const connection = new AdviseConnection(subscription)
    this.#connections.add(connection)
    return connection
  }

  /**
   * Ends a connection of this source, as its own `unadvise` does.
   *
   * @throws FlatshareError for one of another source, or one that is spent.
   */
  async unadvise(connection: AdviseConnection): Promise<void> {
    if (!this.#connections.has(connection)) {
      throw new FlatshareError('This source knows no such advise connection.')
    }
    await connection.unadvise()
  }

  /**
   * Says that something has happened, and returns at once. The payload is copied now, as structured clone
   * copies, and frozen; references in it stay references. Where nobody has asked for the event, nothing is
   * copied.
   *
   * @throws FlatshareError for an event that the source doesn't raise.
   * @throws DataCloneError for a payload that can't be copied.
   */
  raise<E extends EventName<Events>>(event: E, payload: Events[E], options: { target?: unknown } = {}): void {
    this.#require(event)
    const target = 'target' in options ? options.target : this.#target
    const sequence = ++this.#sequence
    let notification: Raised | undefined
    for (const subscription of this.#subscriptions) {
      if (!subscription.wants(event, target)) continue
      notification ??= Object.freeze({
        event,
        payload: copyFrozen(payload),
        ...(target !== undefined && { target }),
        sequence,
      })
      subscription.push(notification)
    }
  }

  #require(event: string): void {
    if (!this.#events.has(event)) {
      throw new FlatshareError(`This source doesn't raise "${String(event)}"; there are ${this.#known()}.`)
    }
  }

  #known(): string {
    return [...this.#events].join(', ') || 'none'
  }
}

// Handed to another thread by itself, it is called at home; only its owner raises.
ApartmentThreaded({ name: 'AdviseSource', hidden: ['raise'], interleaved: true })(AdviseSource)
