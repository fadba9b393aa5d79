/**
 * `@flatshare/sync/async-mutex`: the interface of `async-mutex`, for all threads. Change the import, and
 * hand the mutex or semaphore to other threads by `marshal`: it is the same one there.
 *
 * - `Mutex` and `Semaphore`: awaited, with weights, priorities, `cancel` and `waitForUnlock`.
 * - `withTimeout` and `tryAcquire`: give up waiting.
 *
 * What a thread holds when it ends comes back.
 */
export { E_ALREADY_LOCKED, E_CANCELED, E_TIMEOUT } from './async-mutex/errors.js'
export type { MutexInterface, SemaphoreInterface } from './async-mutex/interfaces.js'
export { Mutex } from './async-mutex/mutex.js'
export { Semaphore } from './async-mutex/semaphore.js'
export { tryAcquire, withTimeout } from './async-mutex/with-timeout.js'
