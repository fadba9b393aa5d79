/**
 * `@flatshare/sync`: locks between threads, blocking and not.
 *
 * - `Mutex`: one holder at a time, of all threads.
 * - `RwLock`: any number of readers, or one writer, of all threads.
 * - `Signal`: an event; lets all go, or one for each time that it is set.
 * - `Barrier`: n wait for each other, again and again.
 * - `Latch`: counts down to 0, then is open for ever.
 * - `Semaphore`: permits, taken one or several at once, and given back; or signals that are counted.
 * - `Condition`: waits, with a mutex given up meanwhile, until another thread notifies.
 * - `Once`: a function that runs on one thread only; all have its result.
 * - `locks`: the Web Locks API, for all threads: locks by name, with nothing to hand over beforehand.
 *
 * A lock crosses to another thread by `marshal`, or inside any call, and is the same lock there. What a
 * thread holds when it ends is handed on, at once and marked as abandoned.
 */

export type { AwaitOptions } from './await-grant.js'
export { Barrier, type BarrierPassage } from './barrier.js'
export { Condition } from './condition.js'
export { Latch } from './latch.js'
export type {
  Lock,
  LockInfo,
  LockManager,
  LockManagerSnapshot,
  LockMode,
  LockRequestOptions,
} from './lock-manager.js'
export { locks } from './locks.js'
export { type BlockingOptions, type LockOptions, Mutex, type MutexGuard, type MutexOptions } from './mutex.js'
export { Once, type OnceContext } from './once.js'
export type { PrimitiveOptions } from './primitive.js'
export { RwLock } from './rwlock.js'
export type { ReadGuard, WriteGuard } from './rwlock-guards.js'
export { type BlockingRunOptions, type Permit, type RunOptions, Semaphore } from './semaphore.js'
export { Signal, type SignalOptions } from './signal.js'
