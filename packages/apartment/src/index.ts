/**
 * `@flatshare/apartment`: objects that live on one thread and are called from every other.
 *
 * - `@ApartmentThreaded`, `@SingleThreaded`, `@Hidden`, `@Interleaved`: what a class says.
 * - `Apartment.open`, `create`, `remote`, `close`: a thread, and objects made on it.
 * - `serve`, `connect`: the same for a worker and its objects, without a class.
 * - `objectTable`: objects that every thread finds by name.
 * - `Remote<T>`: what other threads hold; `callWith`, `release`, `disconnect`.
 *
 * Arguments and results cross as structured clone copies them; functions, objects of apartment-threaded
 * classes and what is marked `byReference` as proxies, the same for the same object; proxies come home as
 * the original; errors keep their class. Iterators, async iterables and streams are iterated, read and written where
 * they are, with back pressure; signals are live; `transfer` moves, `registerCodec` copies instances of a class.
 */
import './what-crosses.js'

export {
  type AsItself,
  byReference,
  type Call,
  type CallId,
  CannotBlockError,
  type ClassCodec,
  type CrossesAsItself,
  type crossesAsItself,
  currentCall,
  DeadlockError,
  DisconnectedError,
  type Downgrade,
  DowngradeError,
  FlatshareError,
  type MarshalOptions,
  marshal,
  NotMarshalableError,
  onDowngrade,
  type Packet,
  registerCodec,
  registerError,
  transfer,
  unmarshal,
  WrongThreadError,
} from '@flatshare/core'
export { Apartment, attachTo, type CloseOptions } from './apartment.js'
export type { ApartmentSource, OpenOptions, WorkerSource } from './apartment-options.js'
export { blocking } from './blocking.js'
export type { Blocking } from './blocking-types.js'
export type { CallSettings } from './call-settings.js'
export { callWith, type OneWay } from './call-with.js'
export { type ConnectOptions, connect } from './connect.js'
export type { CannotCross } from './crossing-types.js'
export {
  ApartmentThreaded,
  type ApartmentThreadedOptions,
  type ClassDecoration,
  Hidden,
  Interleaved,
  type MemberDecoration,
  SingleThreaded,
  type SingleThreadedOptions,
} from './decorators.js'
export { disconnect } from './disconnect.js'
export { serve } from './handshake.js'
export { type Home, homeOf } from './home-of.js'
export type { LinkKind } from './link-kind.js'
export {
  type GetOptions,
  type ObjectTable,
  type ObjectTableNames,
  objectTable,
  type RegisterOptions,
  type Registration,
} from './object-table.js'
export { ApartmentPool, type MapOptions, type PoolStats, type PoolTarget } from './pool.js'
export type { PoolMapping } from './pool-map.js'
export type { PoolOptions } from './pool-options.js'
export { release } from './proxy.js'
export { QueueFullError } from './queue-full-error.js'
export type { Remote, RemoteFunction, RemoteHandle, RemoteModule } from './remote.js'
export { type SettableName, set } from './set.js'
export type { OtherSource, StartedProcess } from './sources.js'
