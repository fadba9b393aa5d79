/**
 * `@flatshare/advise-sink`: events from an object on one thread to whoever asked for them on another.
 *
 * - `AdviseSource`: a field of the object that has the events.
 * - `AdviseConnection`: what `advise` gives; after `await connection.unadvise()` the sink is never called.
 * - `thisThreadAdviseSink`: a sink that runs on this thread, whatever its threading model.
 * - `on`, `eventTarget`: a source as an async iterator, and as an `EventTarget`.
 * - `dispatchPending`: what waits for this thread's sinks, delivered now.
 */
export { AdviseSource, type AdviseSourceOptions } from './advise-source.js'
export { AdviseConnection } from './connection.js'
export { dispatchPending } from './dispatch-pending.js'
export { AdviseEvent, type AdviseEventTarget, eventTarget } from './event-target.js'
export { type OnOptions, on } from './iteration.js'
export type {
  AdviseOptions,
  AdviseRequest,
  AdviseSink,
  AdviseSinkOrFunction,
  EventMask,
  EventName,
  Notification,
  PayloadAnd,
  QueueOptions,
  RaiseAndWaitOptions,
  RaiseOptions,
  RaiseOutcome,
} from './notification.js'
export type { AdviseProvider, AnyNotification, NotificationOf } from './provider.js'
export { thisThreadAdviseSink } from './sinks.js'
