/** What a source says, who hears it, and how. */

/** The names of a map of events. */
export type EventName<Events extends object> = keyof Events & string

/** The arguments behind an event's name: a payload that may be undefined may be left out. */
export type PayloadAnd<P, Options> = undefined extends P
  ? [payload?: P, options?: Options]
  : [payload: P, options?: Options]

/**
 * One event, as it was at the moment of raising: its payload is frozen, and so is all of it where several sinks may have the
 * same one. `event` tells which `payload` it is.
 */
export type Notification<Events extends object, E extends EventName<Events> = EventName<Events>> = {
  readonly [K in E]: {
    readonly event: K
    readonly payload: Events[K]
    /** What it is about, if the source said so. */
    readonly target?: unknown
    /** Counts the events of the source, from 1. */
    readonly sequence: number
    /** How many before this one were dropped, because the sink was too slow for its queue. */
    readonly dropped?: number
  }
}[E]

/** Receives notifications, some at a time, to be read from first to last. A promise that it gives is awaited. */
export interface AdviseSink<N = any> {
  /** What it gives, or resolves to, counts only for `raiseAndWait`: `'stop'` ends delivery to the sinks after it. */
  onNotify(batch: readonly N[]): unknown
  /** Called once, last, when the connection has ended, however it did, unless the source's thread is gone. */
  onUnadvised?(): unknown
}

/**
 * A sink, or a function that does as one, or the URL of a module with the name of its export that is either:
 * `new URL('./sink.js#onNotify', import.meta.url)`.
 */
export type AdviseSinkOrFunction<N = any> = AdviseSink<N> | ((batch: readonly N[]) => unknown) | URL

/** What waits while a sink is busy, and what happens to more. */
export interface QueueOptions<N = any> {
  /** How many notifications: 65,536 unless given. */
  limit?: number
  /**
   * What happens where the queue is full:
   *
   * - `'drop-oldest'`, unless given: the oldest are dropped, and the next one says how many.
   * - `'coalesce'`: of notifications with the same key only the last one waits, full or not, in its own place in the
   *   order; beyond the limit the oldest are dropped.
   * - `'block'`: `raise` waits until the sink has taken some. Where it can't block (the thread may not, or the sink runs on
   *   that very thread) it throws a `CannotBlockError`: await `source.room()` before.
   */
  policy?: 'drop-oldest' | 'coalesce' | 'block'
  /**
   * For `'coalesce'`: what must be the same of two notifications, by `Object.is`; the event's name unless given. It should
   * be quick. Where the source is on another thread each notification makes a call of it.
   */
  key?: (notification: N) => unknown
}

/** How to advise. */
export interface AdviseOptions<N = any> {
  /** Only events about this: a number, a text, or an object that crosses by reference. */
  target?: unknown
  /** What waits while the sink is busy. */
  queue?: QueueOptions<N>
  /** Ends it as `unadvise` does, without waiting. */
  signal?: AbortSignal
  /**
   * Called on its own thread with what the sink threw. Without one, that is written to the console of the
   * source's thread. Neither the source nor other sinks notice, and the sink goes on to be called.
   */
  onError?: (error: unknown) => unknown
}

/** Which events to hear of: one, several, or all (`'*'`). */
export type EventMask<Events extends object, E extends EventName<Events> = EventName<Events>> = E | readonly E[] | '*'

/** The arguments of `advise`, for the method by which a provider passes them on to its source. */
export type AdviseRequest<Events extends object> = [
  events: EventMask<Events>,
  sink: AdviseSinkOrFunction<Notification<Events>>,
  options?: AdviseOptions<Notification<Events>>,
]

/** How to raise. */
export interface RaiseOptions {
  /** What it is about, instead of the source's own target. */
  target?: unknown
}

/** How to raise and wait. */
export interface RaiseAndWaitOptions extends RaiseOptions {
  /** Milliseconds until a `TimeoutError`: 30,000 unless given. */
  timeout?: number
  /**
   * Gives up waiting, with its reason. A sink that has not been called by then is not called; one that has goes on, and what
   * is raised later comes to it after that.
   */
  signal?: AbortSignal
}

/** What has become of an event that was raised and waited for. */
export interface RaiseOutcome {
  /** How many sinks have heard of it, those included that threw. */
  readonly notified: number
  /** Whether one of them, the last that heard of it, has answered `'stop'`. */
  readonly stopped: boolean
}
