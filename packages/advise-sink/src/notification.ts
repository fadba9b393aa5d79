/** What a source says, and who hears it. */

/** The names of a map of events. */
export type EventName<Events extends object> = keyof Events & string

/** One event, as it was at the moment of raising; frozen. `event` tells which `payload` it is. */
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
  onNotify(batch: readonly N[]): unknown
}

/** A sink, or a function that does as one. */
export type AdviseSinkOrFunction<N = any> = AdviseSink<N> | ((batch: readonly N[]) => unknown)

/** How to advise. */
export interface AdviseOptions {
  /** Only events about this: a number, a text, or an object that crosses by reference. */
  target?: unknown
  /** What waits while the sink is busy. */
  queue?: {
    /** How many notifications: 65,536 unless given. */
    limit?: number
    /** What happens to more: the oldest are dropped, and the next one says how many. */
    policy?: 'drop-oldest'
  }
  /** Ends it as `unadvise` does, without waiting. */
  signal?: AbortSignal
  /**
   * Called on its own thread with what the sink threw. Without one, that is written to the console of the
   * source's thread. Neither the source nor other sinks notice, and the sink goes on to be called.
   */
  onError?: (error: unknown) => unknown
}

/** The arguments of `advise`, for the method by which a provider passes them on to its source. */
export type AdviseRequest<Events extends object> = [
  events: EventName<Events> | ReadonlyArray<EventName<Events>>,
  sink: AdviseSinkOrFunction<Notification<Events>>,
  options?: AdviseOptions,
]
