/**
 * A lock that lies at an address of the arena, for the packages of Flatshare. Not for programs: it
 * changes without notice. Its words are described in `lock.ts`.
 *
 * @experimental
 */
export { acquire, acquireSync, holderOf, release, releaseUnmended, tryAcquire, wake } from './arena-lock.js'
export { LOCK_BYTES, type Outcome } from './lock.js'
