/**
 * A lock that lies at an address of the arena, and the queues of those who wait at any address, for the
 * packages of Flatshare. Not for programs: it changes without notice. The lock's words are described in
 * `lock.ts`, the queues in `wait-queue.ts`.
 *
 * @experimental
 */
export { acquire, acquireSync, holderOf, release, releaseContended, releaseUnmended, tryAcquire } from './arena-lock.js'
export { makeArenaRwLock } from './arena-rwlock.js'
export { awaitGrant, blockingTimeout, checkAwaitOptions } from './await-grant.js'
export type { AsyncWaiter } from './awaiting.js'
export type { BlockOptions } from './blocking.js'
export { waiting } from './engine.js'
export { LOCK_BYTES, type Outcome, OWNER_MASK, UNMENDED } from './lock.js'
export type { WaitNode } from './wait-queue.js'
export type { Waiting } from './waiting.js'
