/**
 * Members that mean what they say only if they answer at once.
 *
 * A lock or a queue that lives in another process is a proxy here, whose members answer later, while its type is still that
 * of the class. Where such a member takes something (`tryLock`, `lockSync`, `tryTake`) that is worse than a promise in the
 * wrong place: the promise passes for what was taken, and what was taken is lost. So the class names these members, and
 * proxies refuse them before anything is sent.
 */

/** A member that answers at once or not at all, and what does its work where that can't be. */
export type SynchronousMember = readonly [
  member: string,
  /** The call to await instead, as it is written after the object's name: `lock({ timeout: 0 })`. */
  instead: string,
  /** It calls a function that it is given, and needs what that gives: a call that blocks doesn't help it. */
  callsBack?: true,
]

/** On a prototype: which members of its instances are such. */
const SYNCHRONOUS_ONLY = Symbol('flatshare.synchronousOnly')

/** Has proxies of the instances of a class refuse these members, where their calls don't block. */
export function synchronousOnly<T>(
  Class: { readonly prototype: T },
  members: ReadonlyArray<readonly [member: keyof T & string, instead: string, callsBack?: true]>,
): void {
  Object.defineProperty(Class.prototype, SYNCHRONOUS_ONLY, { value: members })
}

/** Such members of the instances of a class, by its prototype. */
export function synchronousMembers(prototype: object): readonly SynchronousMember[] {
  return (prototype as { [SYNCHRONOUS_ONLY]?: readonly SynchronousMember[] })[SYNCHRONOUS_ONLY] ?? []
}
