/** What a library must export to be checked by the contract: the names of `async-mutex`. */
import type { MutexInterface, SemaphoreInterface, tryAcquire, withTimeout } from 'async-mutex'

export interface Library {
  Mutex: new (cancelError?: Error) => MutexInterface
  Semaphore: new (value: number, cancelError?: Error) => SemaphoreInterface
  withTimeout: typeof withTimeout
  tryAcquire: typeof tryAcquire
  E_TIMEOUT: Error
  E_ALREADY_LOCKED: Error
  E_CANCELED: Error
}

/** Makes mutexes, plain or wrapped. */
export type MakeMutex = (cancelError?: Error) => MutexInterface

/** Makes semaphores, plain or wrapped. */
export type MakeSemaphore = (value: number, cancelError?: Error) => SemaphoreInterface
