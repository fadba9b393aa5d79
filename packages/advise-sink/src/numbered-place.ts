/** A sink that another thread advised by itself, at its source's home; and that thread's own side of it. */
import { type CallId, currentCall, DisconnectedError } from '@flatshare/core'
import { type SeenEvent, type ThreadId, threadName } from '@flatshare/core/internal'
import { beginDelivery, deliveryOver, endDelivery, isDelivery, takingBack } from './deliveries.js'
import type { QueueOptions } from './notification.js'
import { type Batch, cannotBlock, type Place, sent } from './places.js'
import { callReceiver, receive } from './receiver.js'
import { reportTo } from './reporting.js'

/** The home's side. */
export class NumberedPlace implements Place {
  readonly window = 1
  readonly sink = undefined

  constructor(
    readonly thread: ThreadId,
    readonly number: number,
  ) {}

  deliver(notifications: Batch, signal: AbortSignal, awaited: boolean): unknown {
    return callReceiver(this.thread, 'deliver', [this.number, sent(notifications)], { signal, patient: !awaited })
  }

  deliverBlocking(): never {
    throw cannotBlock(`the thread "${threadName(this.thread)}" advised it by itself, and is not to be waited for`)
  }

  keyOf(notification: object): Promise<unknown> {
    return callReceiver(this.thread, 'keyOf', [this.number, notification])
  }

  /** What was to be delivered didn't get there: what its own sinks throw, that thread reports by itself. */
  async failed(error: unknown): Promise<void> {
    try {
      await callReceiver(this.thread, 'failed', [this.number, error])
    } catch (failure) {
      // The end of that thread is the end of the connection.
      if (!(failure instanceof DisconnectedError)) throw error
    }
  }

  /** That thread knows: only it ends such a connection. */
  unadvised(): void {}
}

/** A connection of this thread's to a source of another one. */
export class FarSubscription {
  readonly #report: (error: unknown) => void
  #delivery: CallId | undefined
  #over: Promise<void> | undefined
  #ended = false

  constructor(
    readonly number: number,
    readonly events: ReadonlySet<string>,
    /** Where its sink runs, as this thread sees it. */
    readonly place: Place,
    readonly key: QueueOptions['key'],
    readonly onError: ((error: unknown) => unknown) | undefined,
    readonly onEnd: () => void,
  ) {
    this.#report = reportTo(onError, events)
    subscriptions.set(number, this)
  }

  async deliver(list: readonly SeenEvent[]): Promise<'stop' | undefined> {
    if (this.#ended) return undefined
    const { path, signal } = currentCall()!
    const id = path.find(isDelivery)!
    let isOver = () => {}
    this.#over = new Promise((resolve) => {
      isOver = resolve
    })
    beginDelivery(id)
    this.#delivery = id
    try {
      return (await this.place.deliver({ list }, takingBack(signal), true)) === 'stop' ? 'stop' : undefined
    } catch (error) {
      if (!this.#ended) this.#report(error)
      return undefined
    } finally {
      endDelivery(id)
      this.#delivery = undefined
      if (this.#ended) void this.#tellEnd().then(isOver)
      else isOver()
    }
  }

  /** Something didn't get here. */
  failed(error: unknown): void {
    if (!this.#ended) this.#report(error)
  }

  /** The source is gone: that is told to a handler, if there is one. */
  lose(error: unknown): void {
    if (!this.#ended && this.onError) this.#report(error)
    this.end()
  }

  /** Nothing is delivered from now on. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    subscriptions.delete(this.number)
    this.onEnd()
    if (this.#delivery === undefined) this.#over = this.#tellEnd()
  }

  async over(): Promise<void> {
    const delivery = this.#delivery
    if (delivery === undefined) await this.#over
    else await deliveryOver(delivery, this.#over!)
  }

  async #tellEnd(): Promise<void> {
    try {
      await this.place.unadvised()
    } catch {
      // Who has unadvised wants to hear no more.
    }
  }
}

/** Of this thread, by number. */
const subscriptions = new Map<number, FarSubscription>()

receive('deliver', (number: number, batch: readonly SeenEvent[]) => subscriptions.get(number)?.deliver(batch))
receive('keyOf', (number: number, notification: never) => subscriptions.get(number)?.key?.(notification))
receive('failed', (number: number, error: unknown) => subscriptions.get(number)?.failed(error))
