/**
 * `@flatshare/free-threaded`: objects whose state lies in shared memory. Every thread that has one calls
 * it directly, under a lock that is generated, at the price of that lock and not of a message.
 *
 * - `FreeThreaded`: the class decorator. It never replaces the class.
 * - `Shared`: a field in shared memory. `Unlocked`: a member without the lock.
 * - `nonBlocking`: every method as a promise that never blocks. `locked`: several calls as one.
 *
 * `marshal` and `unmarshal` of `@flatshare/core` take an object to another thread, which must have
 * imported its class.
 */
export { FreeThreaded, type FreeThreadedDescription } from './free-threaded.js'
export { locked } from './locked.js'
export { Shared, type SharedDecorator, Unlocked, type UnlockedDecorator } from './members.js'
export { type NonBlocking, nonBlocking } from './non-blocking.js'
export type { SharedType } from './scalar-types.js'
