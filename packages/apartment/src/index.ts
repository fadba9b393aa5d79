/**
 * `@flatshare/apartment`: objects that live on one thread and are called from every other.
 *
 * - `@ApartmentThreaded`, `@SingleThreaded`, `@Hidden`, `@Interleaved`: what a class says.
 * - `Apartment.open`, `create`, `remote`, `close`: a thread, and objects made on it.
 * - `serve`, `connect`: the same for a worker and its objects, without a class.
 * - `Remote<T>`: what other threads hold; `callWith`, `release`, `disconnect`.
 *
 * Arguments and results cross as structured clone copies them; functions, objects of apartment-threaded
 * classes and what is marked `byReference` as proxies, the same for the same object; proxies come home as
 * the original; errors keep their class.
 */
import './abort-signal-marshaler.js'

export { type Call, type CallId, currentCall } from '@flatshare/core'
export { Apartment, type OpenOptions } from './apartment.js'
export { callWith } from './call-with.js'
export { type ConnectOptions, connect } from './connect.js'
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
export type { CallSettings } from './peer.js'
export { release } from './proxy.js'
export type { Remote, RemoteFunction, RemoteHandle, RemoteModule } from './remote.js'
