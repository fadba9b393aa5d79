/**
 * Where a sink runs.
 *
 *   a plain object or function, one of an apartment-threaded class, a wrapped one    the thread that made it: here, or by its proxy
 *   a free-threaded object, the export of a module                                   the first thread, or the service thread
 *
 * An object with a method `onNotify` crosses by reference, as if it were apartment-threaded, unless its class says
 * otherwise: so a plain sink runs on the thread that made it, without a word.
 */
import { blocking } from '@flatshare/apartment'
import {
  callInTurn,
  callInTurnBlocking,
  homeThreadOf,
  type InnerSettings,
  isProxy,
  viewWith,
} from '@flatshare/apartment/internal'
import { CannotBlockError, DisconnectedError, modelOf } from '@flatshare/core'
import {
  crossByReference,
  firstThread,
  isThenable,
  notificationMode,
  ownThreadId,
  type SeenEvent,
  type ThreadId,
} from '@flatshare/core/internal'
import { moduleSink } from './module-sink.js'
import type { AdviseSink, AdviseSinkOrFunction } from './notification.js'
import { callReceiver, receive } from './receiver.js'
import { serviceThread } from './service-thread.js'

crossByReference((x) => typeof (x as Partial<AdviseSink>).onNotify === 'function')

/** So many threads for notifications may end one after the other. */
const TRIES = 3

/** Notifications on their way. */
export interface Batch {
  /** What a sink of this thread gets. */
  readonly list: readonly SeenEvent[]
  /** What others are sent, where that is not the list: it arrives as one. */
  readonly sent?: unknown
}

/** A way to one sink. */
export interface Place {
  /** What the proxy of it is, where there is one: two deliveries to one queue there. */
  readonly sink: unknown
  /** So many deliveries may be on their way: those after the first wait their turn at the sink. */
  readonly window: number
  /** The thread on which it runs, if that is known before it is called. */
  readonly thread: ThreadId | undefined
  /** Calls it: gives what it gives, or a promise of that, which somebody waits for if it is `awaited`. */
  deliver(batch: Batch, signal: AbortSignal, awaited: boolean): unknown
  /**
   * Calls it, and blocks until it has returned.
   *
   * @throws CannotBlockError where that can't be.
   */
  deliverBlocking(batch: Batch): void
  /** Says that the connection has ended. */
  unadvised(): unknown
}

/** Where a sink runs, as it has been given to this thread. */
export function placeOf(sink: AdviseSinkOrFunction): Place {
  if (sink instanceof URL) return new FarPlace(sink)
  if (isProxy(sink)) return typeof sink === 'function' ? new FunctionPlace(sink) : new ObjectPlace(sink)
  return modelOf(sink) === 'free' ? new FarPlace(sink) : new OwnPlace(sink)
}

/** What crosses to another thread. The list is made only where it is needed. */
export const sent = (notifications: Batch): unknown => notifications.sent ?? notifications.list

/** Calls a sink of this thread. */
function notify(sink: AdviseSinkOrFunction, batch: unknown): unknown {
  return typeof sink === 'function' ? sink(batch as never) : (sink as AdviseSink).onNotify(batch as never)
}

class OwnPlace implements Place {
  readonly window = 1
  readonly thread = ownThreadId()

  constructor(readonly sink: Exclude<AdviseSinkOrFunction, URL>) {}

  deliver({ list }: Batch): unknown {
    return notify(this.sink, list)
  }

  deliverBlocking(): never {
    throw cannotBlock('it runs on this very thread')
  }

  unadvised(): unknown {
    return typeof this.sink === 'function' ? undefined : this.sink.onUnadvised?.()
  }
}

/** While the sink has one batch, others are on their way, so that it needn't wait for them. */
const WINDOW = 4

class ObjectPlace implements Place {
  readonly window = WINDOW
  readonly thread: ThreadId
  /** The proxy with the signal that most calls have. */
  #view: { readonly signal: AbortSignal; readonly sink: AdviseSink } | undefined

  constructor(readonly sink: AdviseSink) {
    this.thread = homeThreadOf(sink)
  }

  deliver(notifications: Batch, signal: AbortSignal, awaited: boolean): unknown {
    if (this.#view?.signal !== signal) {
      this.#view = { signal, sink: viewWith(this.sink, { signal, patient: !awaited }) as AdviseSink }
    }
    return this.#view.sink.onNotify(sent(notifications) as never)
  }

  deliverBlocking(notifications: Batch): void {
    ;(blocking<object>(this.sink) as unknown as AdviseSink).onNotify(sent(notifications) as never)
  }

  unadvised(): unknown {
    return this.sink.onUnadvised?.()
  }
}

class FunctionPlace implements Place {
  readonly window = WINDOW
  readonly thread: ThreadId

  constructor(readonly sink: Function) {
    this.thread = homeThreadOf(sink)
  }

  deliver(notifications: Batch, signal: AbortSignal, awaited: boolean): unknown {
    return callInTurn(this.sink, [sent(notifications)], { signal, patient: !awaited })
  }

  deliverBlocking(notifications: Batch): void {
    callInTurnBlocking(this.sink, [sent(notifications)])
  }

  unadvised(): void {}
}

/** A sink that may run anywhere: the mode of notifications says where. */
class FarPlace implements Place {
  readonly window = 1
  readonly thread = undefined

  constructor(readonly sink: AdviseSinkOrFunction) {}

  async deliver(notifications: Batch, signal: AbortSignal, awaited: boolean): Promise<unknown> {
    return this.#call('notify', notifications, { signal, patient: !awaited })
  }

  deliverBlocking(): never {
    throw cannotBlock('it may run anywhere, on the thread for notifications')
  }

  async unadvised(): Promise<unknown> {
    return this.#call('unadvised')
  }

  async #call(member: 'notify' | 'unadvised', notifications?: Batch, settings?: InnerSettings): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const thread = notificationMode() === 'first-thread' ? firstThread() : await serviceThread()
      if (thread === ownThreadId()) {
        const sink = await moduleSink(this.sink)
        return member === 'notify' ? notify(sink, notifications!.list) : (sink as Partial<AdviseSink>).onUnadvised?.()
      }
      try {
        return await callReceiver(thread, member, [this.sink, notifications && sent(notifications)], settings)
      } catch (error) {
        // That thread has ended before it heard of this one: there is another by now.
        if (tries === TRIES || !(error instanceof DisconnectedError) || error.mayHaveRun) throw error
      }
    }
  }
}

/** Why a full queue can't be waited for. */
export function cannotBlock(why: string): CannotBlockError {
  return new CannotBlockError(
    `The queue of a sink is full, and its policy is 'block', but ${why}: nothing was raised. Instead: await source.room() ` +
      'before each raise, or give the queue another policy.',
  )
}

/** Only one answer counts; any other may be something that can't cross. */
const answerOf = (answer: unknown): 'stop' | undefined => (answer === 'stop' ? 'stop' : undefined)

receive('notify', (given: AdviseSinkOrFunction, batch: unknown) => {
  const sink = moduleSink(given)
  // At once where it is there: `dispatchPending` relies on it.
  const answer = sink instanceof Promise ? sink.then((one) => notify(one, batch)) : notify(sink, batch)
  return isThenable(answer) ? answer.then(answerOf) : answerOf(answer)
})
receive('unadvised', async (sink: AdviseSinkOrFunction) => {
  await ((await moduleSink(sink)) as Partial<AdviseSink>).onUnadvised?.()
})
