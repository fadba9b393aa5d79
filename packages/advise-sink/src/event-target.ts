/** A source as an `EventTarget`. */
import { isProxy } from '@flatshare/apartment/internal'
import type { AdviseOptions } from './notification.js'
import {
  type AdviseProvider,
  type AnyNotification,
  type Ending,
  type NotificationOf,
  requireProvider,
} from './provider.js'

/** A notification as an event: `type` is the event's name. */
export class AdviseEvent<N extends AnyNotification = AnyNotification> extends Event {
  /** The payload, as a `CustomEvent` has it. */
  readonly detail: N['payload']

  constructor(readonly notification: N) {
    super(notification.event)
    // All listeners have the same one.
    Object.freeze(notification)
    this.detail = notification.payload
  }
}

type ListenerOf<N extends AnyNotification> =
  | ((event: AdviseEvent<N>) => unknown)
  | { handleEvent(event: AdviseEvent<N>): unknown }
  | null

/** A source as an `EventTarget`: see `eventTarget`. `N` is what its sinks are notified of. */
export interface AdviseEventTarget<N extends AnyNotification> extends EventTarget, AsyncDisposable {
  addEventListener<E extends N['event']>(
    type: E,
    listener: ListenerOf<Extract<N, { readonly event: E }>>,
    options?: Parameters<EventTarget['addEventListener']>[2],
  ): void
  removeEventListener<E extends N['event']>(
    type: E,
    listener: ListenerOf<Extract<N, { readonly event: E }>>,
    options?: Parameters<EventTarget['removeEventListener']>[2],
  ): void
}

/**
 * A source as an `EventTarget`, for code that wants one: `addEventListener('objectCreated', ({ detail }) => …)`.
 *
 * It advises with the first listener of a kind of event, and unadvises when the last one is removed, by whatever means
 * (`removeEventListener`, `once`, a signal). Listeners run on this thread, from its event loop, an event for each
 * notification. `await using`, or `[Symbol.asyncDispose]()`, ends all: then no listener is called again.
 *
 * What `advise` refuses (an event that the source doesn't raise) is thrown by `addEventListener` where the source is of
 * this thread, and reported as an uncaught error where it is a proxy.
 *
 * @param options as for `advise`; a listener that throws is reported as with any `EventTarget`.
 * @example
 * await using events = eventTarget(store)
 * events.addEventListener('objectCreated', ({ detail }) => list.add(detail.name))
 */
export function eventTarget<P extends AdviseProvider>(
  source: P,
  options: Pick<AdviseOptions<NotificationOf<P>>, 'target' | 'queue'> = {},
): AdviseEventTarget<NotificationOf<P>> {
  requireProvider(source, 'eventTarget')
  return new SourceEventTarget(source, options) as AdviseEventTarget<NotificationOf<P>>
}

interface Listening {
  readonly listener: EventListenerOrEventListenerObject
  readonly capture: boolean
  /** What is called: of a listener for once, one that has it forgotten before. */
  readonly called: EventListenerOrEventListenerObject
}

/** A kind of event that is listened to. */
interface Kind {
  readonly listeners: Listening[]
  readonly connection: Promise<Ending | undefined>
}

const captures = (options: boolean | EventListenerOptions | undefined): boolean =>
  typeof options === 'boolean' ? options : (options?.capture ?? false)

class SourceEventTarget extends EventTarget implements AsyncDisposable {
  readonly #source: AdviseProvider
  readonly #options: AdviseOptions
  readonly #kinds = new Map<string, Kind>()
  #ended = false
  #dispatches = 0

  constructor(source: AdviseProvider, options: AdviseOptions) {
    super()
    this.#source = source
    this.#options = options
  }

  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: Parameters<EventTarget['addEventListener']>[2],
  ): void {
    const { once = false, signal } = typeof options === 'object' ? options : {}
    if (listener === null || this.#ended || signal?.aborted) return
    const capture = captures(options)
    const kind = this.#kinds.get(type) ?? this.#advise(type)
    if (kind.listeners.some((known) => known.listener === listener && known.capture === capture)) return
    const called = once ? this.#once(type, listener, capture) : listener
    kind.listeners.push({ listener, capture, called })
    super.addEventListener(type, called, options)
    signal?.addEventListener('abort', () => this.#forget(type, listener, capture), { once: true })
  }

  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: Parameters<EventTarget['removeEventListener']>[2],
  ): void {
    if (listener !== null) this.#forget(type, listener, captures(options))
  }

  override dispatchEvent(event: Event): boolean {
    return this.#dispatching(() => super.dispatchEvent(event))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    const kinds = [...this.#kinds]
    this.#kinds.clear()
    for (const [type, { listeners }] of kinds) {
      for (const { called, capture } of listeners) super.removeEventListener(type, called, capture)
    }
    await Promise.all(kinds.map(([, kind]) => unadvise(kind)))
  }

  #advise(type: string): Kind {
    const sink = (batch: readonly any[]) => {
      this.#dispatching(() => {
        for (const notification of batch) super.dispatchEvent(new AdviseEvent(notification))
      })
    }
    const advised = this.#source.advise(type, sink, this.#options)
    const connection = Promise.resolve(advised).catch((error: unknown) => {
      this.#kinds.delete(type)
      queueMicrotask(() => {
        throw error
      })
      return undefined
    })
    const kind: Kind = { listeners: [], connection }
    this.#kinds.set(type, kind)
    return kind
  }

  /** A listener that is forgotten when it is called: so that it can listen again. */
  #once(type: string, listener: EventListenerOrEventListenerObject, capture: boolean): EventListener {
    return (event) => {
      this.#forget(type, listener, capture)
      if (typeof listener === 'function') listener.call(this, event)
      else listener.handleEvent(event)
    }
  }

  /** A kind whose last listener goes meanwhile may have another one by the end. */
  #dispatching<R>(dispatch: () => R): R {
    this.#dispatches++
    try {
      return dispatch()
    } finally {
      this.#dispatches--
      this.#unadviseUnheard()
    }
  }

  #forget(type: string, listener: EventListenerOrEventListenerObject, capture: boolean): void {
    const listeners = this.#kinds.get(type)?.listeners ?? []
    const place = listeners.findIndex((known) => known.listener === listener && known.capture === capture)
    if (place < 0) return
    const [{ called }] = listeners.splice(place, 1) as [Listening]
    super.removeEventListener(type, called, capture)
    this.#unadviseUnheard()
  }

  #unadviseUnheard(): void {
    if (this.#dispatches > 0) return
    for (const [type, kind] of this.#kinds) {
      if (kind.listeners.length > 0) continue
      this.#kinds.delete(type)
      void unadvise(kind)
    }
  }
}

async function unadvise({ connection }: Kind): Promise<void> {
  const advised = await connection
  try {
    await advised?.unadvise()
  } catch (error) {
    // It was ended with its thread, or by the source.
    if (!isProxy(advised) && !(error instanceof Error)) throw error
  }
}
