/** The member decorators that say how a member is locked. They only note; `methods.ts` acts. */
import { FlatshareError } from '@flatshare/core'
import { type MemberContext, noteMember } from '@flatshare/core/internal'

/** Decorates a method or accessor, in either dialect. */
export type LockingDecorator = (target: unknown, member: MemberContext, descriptor?: PropertyDescriptor) => void

export interface ReadsOptions {
  /**
   * Runs the method without any lock, and again if somebody has written meanwhile; after some tries under the lock.
   * Reading then scales with threads, for nobody touches what others read. Its author vouches that it may run twice,
   * and on state that a writer is changing at that moment: it must end, and change nothing else, whatever it sees.
   */
  optimistic?: boolean
}

/**
 * Runs a method or getter of a free-threaded class beside others that only read, of all threads; while they run,
 * nothing writes. A method without it that is called from inside of one, or a field that it sets, is an error.
 *
 * An async one reads until its promise settles. A method that writes waits for all readers; who comes to read while it
 * waits queues behind it.
 *
 * Each thread keeps 16 bytes for each object that it has read so. It pays for work that takes longer than some hundred
 * nanoseconds; short methods that read numbers scale with `{ optimistic: true }` alone.
 *
 * @throws TypeError for options that are none; FlatshareError on a static or private (#) member.
 * @throws FlatshareError at the class's decoration, for `optimistic` on an async method.
 * @example
 * class Prices { @Reads() describe() { return `${this.low} to ${this.high}` } }
 * @example
 * class Point { @Reads({ optimistic: true }) get length() { return Math.hypot(this.x, this.y) } }
 */
export function Reads(options?: ReadsOptions): LockingDecorator
export function Reads(target: unknown, member: MemberContext, descriptor?: PropertyDescriptor): void
export function Reads(...args: [ReadsOptions?] | [unknown, MemberContext, PropertyDescriptor?]): unknown {
  if (args.length > 1) return noteMember(args[0], args[1] as MemberContext, { decorator: 'Reads', optimistic: false })
  const options = (args[0] ?? {}) as ReadsOptions
  if (typeof options !== 'object' || (options.optimistic !== undefined && typeof options.optimistic !== 'boolean')) {
    throw new TypeError('@Reads takes nothing, or { optimistic: true }.')
  }
  const note = { decorator: 'Reads', optimistic: options.optimistic === true }
  return (target: unknown, member: MemberContext) => noteMember(target, member, note)
}

/** Decorates a field, method or accessor, in either dialect. */
export type GuardedDecorator = (target: any, member: any, descriptor?: PropertyDescriptor) => void

/**
 * Puts fields and methods of a free-threaded class under a lock of their own: methods of different groups run at the
 * same time. What names no group is in the main one, and what a subclass overrides without naming one too.
 *
 * A method of one group that touches a field of another one does what code outside would: it reads numbers atomically
 * one by one, and takes that group's lock for each write, and each read of another type. `locked(object, …)` takes all
 * groups. Each group takes 16 bytes of each object.
 *
 * @throws TypeError for a name that is no string, or empty.
 * @example
 * class Server {
 *   @Guarded('stats') @Shared('u32') hits = 0
 *   @Guarded('stats') hit() { this.hits++ }
 * }
 */
export function Guarded(group: string): GuardedDecorator {
  if (typeof group !== 'string' || group === '') throw new TypeError("@Guarded takes a name: @Guarded('stats').")
  return (target, member) => noteMember(target, member as MemberContext, { decorator: 'Guarded', group })
}

/** @throws FlatshareError */
export function refuseOptimistic(member: string): never {
  throw new FlatshareError(
    `${member} can't be @Reads({ optimistic: true }): it is async, and an optimistic read runs at once and perhaps ` +
      'twice. Mark it @Reads().',
  )
}
