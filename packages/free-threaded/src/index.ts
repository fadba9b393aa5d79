/**
 * `@flatshare/free-threaded`: objects whose state lies in shared memory. Every thread that has one calls
 * it directly, under a lock that is generated, at the price of that lock and not of a message.
 *
 * - `FreeThreaded`: the class decorator. It never replaces the class.
 * - `Shared`: a field in shared memory. `Unlocked`: a member without the lock.
 * - `nonBlocking`: every method as a promise that never blocks. `locked`: several calls as one.
 *
 * `marshal` and `unmarshal` of `@flatshare/core` take an object to another thread, which must have
 * imported its class.
 */
export { ArrayType, array, type RawArray, type SharedArray } from './cells/array-type.js'
export { EnumerationType, enumeration } from './cells/enumeration-type.js'
export { ReferenceType, ref } from './cells/reference-type.js'
export type {
  DeepReadonly,
  EnumObject,
  NumberTypeName,
  ScalarName,
  SharedType,
  TypeFor,
  ValueIn,
  ValueOf,
  ValueOut,
} from './cells/value-types.js'
export { SharedMap } from './containers/map.js'
export type { SharedMap as SharedMapInstance, SharedMapConstructor, SharedMapOptions } from './containers/map-types.js'
export { SharedQueue } from './containers/queue.js'
export {
  QueueClosedError,
  type SharedQueue as SharedQueueInstance,
  type SharedQueueConstructor,
  type SharedQueueOptions,
} from './containers/queue-types.js'
export { SharedSet } from './containers/set.js'
export type {
  SetLike,
  SharedSet as SharedSetInstance,
  SharedSetConstructor,
  SharedSetOptions,
} from './containers/set-types.js'
export { SharedVector } from './containers/vector.js'
export type {
  SharedVector as SharedVectorInstance,
  SharedVectorConstructor,
  SharedVectorOptions,
} from './containers/vector-types.js'
export { dispose } from './dispose.js'
export { FreeThreaded, type FreeThreadedDescription } from './free-threaded.js'
export { collectGarbage, HeapFullError, type HeapStatistics, heapStatistics, limitHeap } from './heap/index.js'
export { locked, lockedAsync } from './locked.js'
export { Shared, type SharedDecorator, Unlocked, type UnlockedDecorator } from './members.js'
export { type NonBlocking, nonBlocking } from './non-blocking.js'
export { Guarded, type GuardedDecorator, type LockingDecorator, Reads, type ReadsOptions } from './reads.js'
export { type Scalars, snapshot } from './snapshot.js'
