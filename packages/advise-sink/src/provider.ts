/** What can be advised: a source, or whatever passes `advise` on to one. */

/** The way to end a connection, here or by a proxy. */
export interface Ending {
  unadvise(): Promise<void>
}

/** A source, or an object with a method `advise` like a source's: of this thread, or a proxy. */
export interface AdviseProvider {
  advise(events: any, sink: any, options?: any): Ending | PromiseLike<Ending>
}

/** A notification, whatever its event. */
export interface AnyNotification {
  readonly event: string
  readonly payload: any
  readonly target?: unknown
  readonly sequence: number
  readonly dropped?: number
}

/** What a provider's sinks are notified of. */
export type NotificationOf<P> = P extends { advise(events: any, sink: infer S, ...rest: any[]): any }
  ? HeardBy<Extract<S, (batch: any) => unknown>>
  : AnyNotification

type HeardBy<F> = [F] extends [never]
  ? AnyNotification
  : F extends (batch: readonly (infer N)[]) => unknown
    ? N extends AnyNotification
      ? N
      : AnyNotification
    : AnyNotification

/** @throws TypeError for what can't be advised. */
export function requireProvider(provider: unknown, name: string): void {
  if (typeof (provider as Partial<AdviseProvider> | null | undefined)?.advise === 'function') return
  throw new TypeError(`${name} takes a source first, or an object whose method advise passes on to one.`)
}
