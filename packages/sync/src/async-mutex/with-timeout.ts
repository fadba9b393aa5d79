/** Wrappers that give up waiting. */
import { startTimer } from '@flatshare/core/internal'
import { E_ALREADY_LOCKED, E_TIMEOUT } from './errors.js'
import type { MutexInterface, SemaphoreInterface } from './interfaces.js'

type Lock = MutexInterface | SemaphoreInterface
type Ticket = MutexInterface.Releaser | [number, SemaphoreInterface.Releaser]

/**
 * The same lock, but `acquire`, `runExclusive` and `waitForUnlock` reject when they have waited too long.
 * Who has given up so keeps his place in the queue; when it is his turn, he releases at once.
 *
 * @param timeout milliseconds; more than 2,147,483,647 (24.8 days) is for ever.
 * @param timeoutError what it rejects with; `E_TIMEOUT` unless given.
 * @example
 * const release = await withTimeout(mutex, 100).acquire()
 */
export function withTimeout(mutex: MutexInterface, timeout: number, timeoutError?: Error): MutexInterface
export function withTimeout(semaphore: SemaphoreInterface, timeout: number, timeoutError?: Error): SemaphoreInterface
export function withTimeout(lock: Lock, timeout: number, timeoutError: Error = E_TIMEOUT): Lock {
  /** The arguments of the lock itself; of what a mutex is given, the first is a priority. */
  const passOn = (weightOrPriority?: number, priority?: number): [number?, number?] => {
    if (!isSemaphore(lock)) return [weightOrPriority]
    if (weightOrPriority !== undefined && weightOrPriority <= 0) {
      throw new Error(`invalid weight ${weightOrPriority}: must be positive`)
    }
    return [weightOrPriority, priority]
  }

  const wrapped: SemaphoreInterface & { acquire(...args: [number?, number?]): Promise<any> } = {
    acquire(weightOrPriority?: number, priority?: number) {
      const args = passOn(weightOrPriority, priority)
      return new Promise<any>((resolve, reject) => {
        let late = false
        const stopTimer = startTimer(timeout, () => {
          late = true
          reject(timeoutError)
        })
        const ask = async () => {
          try {
            const ticket = (await lock.acquire(...args)) as Ticket
            if (late) releaserOf(ticket)()
            else {
              stopTimer()
              resolve(ticket)
            }
          } catch (error) {
            stopTimer()
            reject(error as Error)
          }
        }
        void ask()
      })
    },

    async runExclusive(callback: (value: any) => any, weight?: number, priority?: number) {
      const ticket: Ticket = await this.acquire(weight, priority)
      try {
        return await (Array.isArray(ticket) ? callback(ticket[0]) : (callback as () => unknown)())
      } finally {
        releaserOf(ticket)()
      }
    },

    waitForUnlock(weightOrPriority?: number, priority?: number) {
      const args = passOn(weightOrPriority, priority)
      return new Promise((resolve, reject) => {
        const stopTimer = startTimer(timeout, () => reject(timeoutError))
        lock.waitForUnlock(...args).then(
          () => {
            stopTimer()
            resolve()
          },
          (error: Error) => {
            stopTimer()
            reject(error)
          },
        )
      })
    },

    release: (weight?: number) => (lock as SemaphoreInterface).release(weight),
    cancel: () => lock.cancel(),
    isLocked: () => lock.isLocked(),
    getValue: () => (lock as SemaphoreInterface).getValue(),
    setValue: (value) => (lock as SemaphoreInterface).setValue(value),
  }
  return wrapped
}

/**
 * The same lock, but `acquire`, `runExclusive` and `waitForUnlock` reject when they would have to wait
 * beyond this turn of the event loop.
 *
 * @param alreadyAcquiredError what it rejects with; `E_ALREADY_LOCKED` unless given.
 * @example
 * await tryAcquire(mutex).runExclusive(flush)
 */
export function tryAcquire(mutex: MutexInterface, alreadyAcquiredError?: Error): MutexInterface
export function tryAcquire(semaphore: SemaphoreInterface, alreadyAcquiredError?: Error): SemaphoreInterface
export function tryAcquire(lock: Lock, alreadyAcquiredError: Error = E_ALREADY_LOCKED): Lock {
  return withTimeout(lock as SemaphoreInterface, 0, alreadyAcquiredError)
}

function isSemaphore(lock: Lock): lock is SemaphoreInterface {
  return (lock as SemaphoreInterface).getValue !== undefined
}

function releaserOf(ticket: Ticket): () => void {
  return Array.isArray(ticket) ? ticket[1] : ticket
}
