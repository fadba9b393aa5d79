/** The lock of `lock.ts` over the arena, with promises for its asynchronous side. */
import { checkedTimeout } from '@flatshare/core/internal'
import { awaitGrant } from './await-grant.js'
import { lock } from './engine.js'
import { type Outcome, QUEUED, UNMENDED } from './lock.js'
import { sharedMemory } from './sync-memory.js'

/**
 * Takes the lock at `address` for this thread, if it is free or its owner dead; never waits, and may
 * barge. Not reentrant: what this thread holds is `'held'`.
 */
export const tryAcquire: (address: number) => Outcome | 'held' = lock.tryAcquire

/**
 * Takes the lock at `address` for this thread, blocking while another one holds it. `what` names the
 * lock in errors, this thread's and others'.
 *
 * @throws DeadlockError when this thread holds it, or a cycle of threads waits for each other's locks.
 * @throws TimeoutError (a DOMException) after `timeout` milliseconds; without one, after 30 s in which
 * the holder was not blocked itself.
 * @throws CannotBlockError where the thread may not block and the lock isn't free within a millisecond.
 */
export function acquireSync(address: number, options?: { timeout?: number; what?: () => string }): Outcome {
  if (options?.timeout !== undefined) checkedTimeout(options.timeout, 'A timeout')
  return lock.acquireSync(address, options)
}

/** Gives up a lock that this thread holds. */
export const release: (address: number) => void = lock.release

/** Gives up an abandoned lock whose state was not mended: the next holder gets it as `'abandoned'` too. */
export const releaseUnmended: (address: number) => void = lock.releaseUnmended

/** Gives up a lock that this thread holds and whose word is not just its id. */
export const releaseContended: (address: number) => void = lock.releaseContended

/** The thread that holds the lock, or died holding it; 0 when it is free. */
export const holderOf: (address: number) => number = lock.holderOf

/** Whether the lock is free, or was when its word was read, and its state not mended after a death. */
export const isUnmended = (address: number): boolean => (sharedMemory.load(address) & ~QUEUED) === UNMENDED

/** Takes the lock if that needs no waiting and passes over nobody who waits. */
export function acquireNow(address: number): Outcome | 'held' {
  const word = sharedMemory.load(address)
  return word & QUEUED ? 'held' : lock.tryAcquire(address)
}

const acquired = Promise.resolve<Outcome>('acquired')

/**
 * Takes the lock at `address` for this thread without blocking it. Such waiters are served in their
 * order, whatever thread they are of; a lock that this thread holds already is waited for like any other.
 *
 * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, with the reason of `signal` when that
 * aborts; a waiter that gives up so leaves no trace. While it waits, it keeps the event loop alive.
 */
export function acquire(
  address: number,
  options: { timeout?: number; signal?: AbortSignal; what?: () => string } = {},
): Promise<Outcome> {
  if (options.timeout === undefined && options.signal === undefined) {
    const outcome = acquireNow(address)
    if (outcome === 'acquired') return acquired
    if (outcome === 'abandoned') return Promise.resolve(outcome)
  }
  return awaitGrant<Outcome>({
    ...options,
    enqueue: (waiter) => lock.enqueue(address, waiter),
    timedOut: (timeout) => lock.timedOut(address, timeout, options.what?.() ?? `lock ${address}`),
  })
}
