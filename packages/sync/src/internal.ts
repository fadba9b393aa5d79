/**
 * A lock that lies at an address of the arena, for the packages of Flatshare. Not for programs: it
 * changes without notice. Its words are described in `lock.ts`.
 *
 * @experimental
 */
export { acquire, acquireSync, holderOf, release, releaseContended, releaseUnmended, tryAcquire } from './arena-lock.js'
export { LOCK_BYTES, type Outcome, OWNER_MASK } from './lock.js'
