/** What a source is, at its home and on every other thread. */
import type { AdviseConnection } from './connection.js'
import type {
  AdviseOptions,
  AdviseSinkOrFunction,
  RaiseAndWaitOptions,
  RaiseOptions,
  RaiseOutcome,
} from './notification.js'

/** The same on all threads. */
export interface SourceDescription {
  readonly events: ReadonlySet<string>
  readonly target: unknown
}

export interface Source {
  readonly connections: number
  advise(mask: unknown, sink: AdviseSinkOrFunction, options: AdviseOptions): AdviseConnection
  raise(event: string, payload: unknown, options: RaiseOptions): void
  raiseAndWait(event: string, payload: unknown, options: RaiseAndWaitOptions): Promise<RaiseOutcome>
  room(): Promise<void>
}

/** What the event is about. */
export function targetOf({ target }: SourceDescription, options: RaiseOptions): unknown {
  return 'target' in options ? options.target : target
}

/** What other threads put into the inbox of a source: the first word says what it is. */
export const RAISE = 0
export const ADVISE = 1
export const UNADVISE = 2

/** How another thread advises: its sinks have numbers there. */
export interface FarRequest {
  readonly thread: number
  readonly number: number
  readonly events: readonly string[] | '*'
  readonly target?: unknown
  readonly limit?: number
  readonly policy?: 'drop-oldest' | 'coalesce' | 'block'
  /** Whether that thread has a function for the keys. */
  readonly hasKey: boolean
}

export type InboxRecord =
  | readonly [typeof RAISE, event: string, payload: unknown, target: unknown]
  | readonly [typeof ADVISE, request: FarRequest]
  | readonly [typeof UNADVISE, thread: number, number: number]
