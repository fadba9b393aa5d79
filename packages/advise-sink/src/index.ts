/**
 * `@flatshare/advise-sink`: events from an object on one thread to whoever asked for them on another.
 *
 * - `AdviseSource`: a field of the object that has the events.
 * - `AdviseConnection`: what `advise` gives; after `await connection.unadvise()` the sink is never called.
 * - `thisThreadAdviseSink`: a sink that runs on this thread, whatever its threading model.
 */
export { AdviseSource, type AdviseSourceOptions } from './advise-source.js'
export { AdviseConnection } from './connection.js'
export type {
  AdviseOptions,
  AdviseRequest,
  AdviseSink,
  AdviseSinkOrFunction,
  EventName,
  Notification,
} from './notification.js'
export { thisThreadAdviseSink } from './sinks.js'
