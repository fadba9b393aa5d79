/** The lock of `lock.ts` over the arena, with promises for its async side. */
import { abortReason, checkedTimeout, OWNER_DIED, startTimer } from '@flatshare/core/internal'
import { type AsyncWaiter, makeLock, type Outcome } from './lock.js'
import { sharedMemory } from './lock-memory.js'

const lock = makeLock(sharedMemory)

/**
 * Takes the lock at `address` for this thread, if it is free or its owner dead; never waits. Not
 * reentrant: what this thread holds is `'held'`.
 */
export const tryAcquire: (address: number) => Outcome | 'held' = lock.tryAcquire

/**
 * Takes the lock at `address` for this thread, blocking while another one holds it. `what` names the
 * lock in errors, this thread's and others'.
 *
 * @throws DeadlockError when this thread holds it, or a cycle of threads waits for each other's locks.
 * @throws TimeoutError (a DOMException) after `timeout` milliseconds.
 * @throws CannotBlockError where the thread may not block and the lock isn't free within some microseconds.
 */
export function acquireSync(address: number, options?: { timeout?: number; what?: () => string }): Outcome {
  if (options?.timeout !== undefined) checkedTimeout(options.timeout, 'A timeout')
  return lock.acquireSync(address, options)
}

/** Gives up a lock that this thread holds. */
export const release: (address: number) => void = lock.release

/** Gives up an abandoned lock whose state was not mended: the next holder gets it as `'abandoned'` too. */
export const releaseUnmended: (address: number) => void = lock.releaseUnmended

/** The rest of an unlock, where the word that was exchanged for 0 had a flag. */
export const wake: (address: number, previousWord: number) => void = lock.wake

/** The thread that holds the lock, or died holding it; 0 when it is free. */
export const holderOf: (address: number) => number = lock.holderOf

/** Whether the lock is free, or was when its word was read, and its state not mended after a death. */
export const isUnmended = (address: number): boolean => sharedMemory.load(address) === OWNER_DIED

/** Takes the lock if that needs no waiting: in front of this thread's async waiters only where it may `barge`. */
export function acquireNow(address: number, barge = false): Outcome | 'held' {
  return !barge && lock.hasQueue(address) ? 'held' : lock.tryAcquire(address)
}

const acquired = Promise.resolve<Outcome>('acquired')

/**
 * Takes the lock at `address` for this thread without blocking it. The waiters of one thread are served
 * in their order; a lock that this thread holds already is waited for like any other.
 *
 * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, with the reason of `signal` when that
 * aborts; a waiter that gives up so leaves no trace. While it waits, it keeps the event loop alive.
 */
export function acquire(
  address: number,
  options?: { timeout?: number; signal?: AbortSignal; what?: () => string },
): Promise<Outcome> {
  let timeout = Infinity
  if (options) {
    try {
      if (options.timeout !== undefined) timeout = checkedTimeout(options.timeout, 'A timeout')
    } catch (error) {
      return Promise.reject(error as Error)
    }
    if (options.signal?.aborted) return Promise.reject(abortReason(options.signal) as Error)
  }
  const outcome = acquireNow(address)
  if (outcome === 'acquired') return acquired
  if (outcome === 'abandoned') return Promise.resolve(outcome)
  return queueUp(address, timeout, options?.signal, options?.what)
}

function queueUp(
  address: number,
  timeout: number,
  signal: AbortSignal | undefined,
  what: (() => string) | undefined,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let stopTimer: (() => void) | undefined
    const settle = () => {
      stopTimer?.()
      signal?.removeEventListener('abort', onAbort)
    }
    const waiter: AsyncWaiter = {
      granted(outcome) {
        settle()
        resolve(outcome)
      },
    }
    const giveUp = (reason: () => unknown) => {
      if (!lock.withdraw(address, waiter)) return
      settle()
      reject(reason() as Error)
    }
    const onAbort = () => giveUp(() => abortReason(signal!))
    signal?.addEventListener('abort', onAbort)
    if (timeout !== Infinity) {
      const onTimeout = () => giveUp(() => lock.timedOut(address, timeout, what?.() ?? `lock ${address}`))
      stopTimer = startTimer(timeout, onTimeout)
    }
    lock.enqueue(address, waiter)
  })
}
