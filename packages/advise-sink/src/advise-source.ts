/**
 * The source that programs see: at its home it has everything itself, on other threads it is a handle (`far-source.ts`).
 * Each thread has one handle of one source, kept weakly by the address of its inbox.
 */
import { type CrossesAsItself, type crossesAsItself, FlatshareError } from '@flatshare/core'
import {
  MARSHALER,
  type Marshaler,
  ownThreadId,
  reach,
  registerMarshaler,
  type ThreadId,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import type { AdviseConnection } from './connection.js'
import { FarSource } from './far-source.js'
import { HomeSource } from './home-source.js'
import type {
  AdviseOptions,
  AdviseSinkOrFunction,
  EventMask,
  EventName,
  Notification,
  PayloadAnd,
  RaiseAndWaitOptions,
  RaiseOptions,
  RaiseOutcome,
} from './notification.js'
import { BLOCK_BYTES } from './shared-inbox.js'
import type { Source, SourceDescription } from './source.js'

/** What a source is made with. */
export interface AdviseSourceOptions<Events extends object> {
  /** The events that it raises. */
  events: ReadonlyArray<EventName<Events>>
  /** What its notifications are about, unless `raise` says otherwise. */
  target?: unknown
}

/** How a source crosses. */
interface Body {
  readonly home: ThreadId
  readonly inbox: number
  readonly events: readonly string[]
  readonly target: unknown
}

const NONE: RaiseOptions = {}

/** What the next source attaches to. */
let attachTo: Body | undefined
let bodyOf: (source: AdviseSource<any>) => Body

/**
 * Raises events, to sinks on whatever threads. It is a field of the object that has the events, whose
 * class may have any threading model; that object passes `advise` on to it.
 *
 * An event is raised without waiting: the call that causes it returns before any sink hears of it. Each
 * sink gets each event that it asked for once, in the order of raising, in batches; one that is slower than
 * the events gets larger batches, and beyond its queue's limit loses the oldest, and is told how many.
 *
 * A source crosses as itself: of a free-threaded class it is a shared field, and any thread raises and advises. All threads
 * agree on one order. What they raise goes by the thread that made the source, its home; when that ends, connections
 * end, and nothing is raised any more.
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
 * @example
 * @FreeThreaded()
 * class Ledger {
 *   @Shared(AdviseSource) source = new AdviseSource<LedgerEvents>({ events: ['posted'] })
 * }
 */
export class AdviseSource<Events extends object = Record<string, unknown>> implements CrossesAsItself {
  declare readonly [crossesAsItself]?: true

  static {
    bodyOf = (source) => {
      if (source.#source instanceof HomeSource) {
        source.#body.inbox = source.#source.inbox
        homes.set(source.#body.inbox, source)
      }
      return source.#body
    }
  }

  readonly #source: Source
  readonly #body: { home: ThreadId; inbox: number; events: readonly string[]; target: unknown }
  readonly #connections = new WeakSet<AdviseConnection>()

  /** @throws TypeError where `events` is no list of names. */
  constructor(options: AdviseSourceOptions<Events>) {
    const body = attachTo
    const { events, target } = body ?? checked(options)
    const description: SourceDescription = { events: new Set(events), target }
    this.#body = body ?? { home: ownThreadId(), inbox: 0, events: [...events], target }
    this.#source = body ? new FarSource(body.home, body.inbox, description) : new HomeSource(description)
  }

  /** How many sinks are advised, over all threads. */
  get connections(): number {
    return this.#source.connections
  }

  /**
   * Lets a sink hear of one kind of event, of several, or of all (`'*'`). The source holds the sink until it is unadvised,
   * its `signal` aborts, or its thread ends.
   *
   * A function, or an object with a method `onNotify`, runs on the thread that made it. One of a free-threaded class, or
   * the export of a module given by its URL, runs where `initialize` says: on the first thread, or on a thread of Flatshare's own.
   *
   * @throws FlatshareError for an event that the source doesn't raise.
   * @throws TypeError for what is no sink, and for options that there are not.
   * @throws RangeError for a queue's limit that is no whole number from 1, and for a policy that there is not.
   * @throws DisconnectedError where the source's home has ended.
   * @throws the reason of a signal that has aborted.
   */
  advise<E extends EventName<Events> = EventName<Events>>(
    events: EventMask<Events, E>,
    sink: AdviseSinkOrFunction<Notification<Events, E>>,
    options: AdviseOptions<Notification<Events, E>> = {},
  ): AdviseConnection {
    // So that a sink may unadvise, after an await too, without waiting for itself.
    trackAcrossAwait()
    const connection = this.#source.advise(events, sink, options)
    this.#connections.add(connection)
    return connection
  }

  /**
   * Ends a connection that this source has given on this thread, as its own `unadvise` does.
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
   * copies, and frozen, as far as it can be (see the README); references in it stay references (on another thread than the
   * home only those that cross as themselves). An event whose payload may be undefined is raised without one as well. Where nobody has asked for the event, nothing is copied.
   *
   * It waits only where a sink was advised with the policy `'block'` and its queue is full, and, on another thread than the
   * home, where that hasn't looked at 65,536 events.
   *
   * @throws FlatshareError for an event that the source doesn't raise.
   * @throws CannotBlockError where it would have to wait and can't: nothing was raised; `await source.room()` before.
   * @throws DeadlockError where it would wait for the home, and that is blocked by a call to this thread.
   * @throws TimeoutError (a DOMException) where the home hasn't looked for 30 seconds.
   * @throws DataCloneError for a payload that can't be copied.
   */
  raise<E extends EventName<Events>>(event: E, ...rest: PayloadAnd<Events[E], RaiseOptions>): void
  raise(event: string, payload?: unknown, options: RaiseOptions = NONE): void {
    this.#source.raise(event, payload, options)
  }

  /**
   * As `raise`, and resolves when all sinks have heard of it, one after the other in the order in which they were advised. One
   * that answers `'stop'` (or resolves to it) is the last; one that throws is reported, and the next one follows.
   *
   * @throws DeadlockError from inside of a sink, and where a sink's thread is blocked: it would wait for ever.
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds, 30,000 unless given.
   * @throws the signal's reason. Sinks that have not been called by then are not called.
   * @throws CannotBlockError where events of other threads, raised before, wait for a sink with the policy `'block'`.
   * @throws FlatshareError and DataCloneError as `raise`.
   * @example
   * const { stopped } = await source.raiseAndWait('closing', {})
   * if (!stopped) close()
   */
  raiseAndWait<E extends EventName<Events>>(
    event: E,
    ...rest: PayloadAnd<Events[E], RaiseAndWaitOptions>
  ): Promise<RaiseOutcome>
  async raiseAndWait(event: string, payload?: unknown, options: RaiseAndWaitOptions = {}): Promise<RaiseOutcome> {
    return this.#source.raiseAndWait(event, payload, options)
  }

  /**
   * Resolves when the queues of all sinks whose policy is `'block'` have room for one more event, so that `raise` doesn't wait.
   * It doesn't block the thread. It holds for one event that is raised at once, without another `await`; who asks
   * meanwhile gets the next place, in the order of asking.
   *
   * @example
   * for (const message of messages) {
   *   await source.room()
   *   source.raise('objectCreated', message)
   * }
   */
  room(): Promise<void> {
    return this.#source.room()
  }
}

function checked({ events, target }: AdviseSourceOptions<any>): { events: readonly string[]; target: unknown } {
  if (!Array.isArray(events) || !events.every((event) => typeof event === 'string' && event !== '*')) {
    throw new TypeError("A source says which events it raises: new AdviseSource({ events: ['created'] }).")
  }
  return { events, target }
}

/** Sources of this thread that others know, by the addresses of their inboxes: they last as long as the thread. */
const homes = new Map<number, AdviseSource<any>>()
const handles = new Map<number, WeakRef<AdviseSource<any>>>()
const collected = new FinalizationRegistry<number>((address) => {
  if (!handles.get(address)?.deref()) handles.delete(address)
})

function keep(address: number, source: AdviseSource<any>): void {
  handles.set(address, new WeakRef(source))
  collected.register(source, address)
}

const marshaler: Marshaler<AdviseSource<any>, Body> = {
  kind: 'advise source',
  model: 'free',
  marshal: (source) => bodyOf(source),
  unmarshal(body) {
    const known = homes.get(body.inbox) ?? handles.get(body.inbox)?.deref()
    if (known) return known
    reach(body.inbox + BLOCK_BYTES)
    attachTo = body
    try {
      const source = new AdviseSource<any>({ events: [] })
      keep(body.inbox, source)
      return source
    } finally {
      attachTo = undefined
    }
  },
}
Object.defineProperty(AdviseSource.prototype, MARSHALER, { value: marshaler })
registerMarshaler(marshaler)
