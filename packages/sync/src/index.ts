/**
 * `@flatshare/sync`: locks between threads, blocking and not.
 *
 * - `Mutex`: one holder at a time, of all threads.
 *
 * A lock crosses to another thread by `marshal`, or inside any call, and is the same lock there. What a
 * thread holds when it ends is handed on, at once and marked as abandoned.
 */
export { type LockOptions, Mutex, type MutexGuard, type MutexOptions } from './mutex.js'
