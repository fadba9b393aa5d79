/** How a program names the class that a field refers to. */

type AnyClass<T extends object> = abstract new (...args: any[]) => T

/** Made by `ref`. */
export class ReferenceType<T extends object> {
  constructor(
    /** Gives the class; asked for when it is needed first, since the class may not be there yet. */
    readonly classOf: () => AnyClass<T>,
  ) {}
}

/**
 * A reference to another free-threaded object, or null: of a decorated class, one of the containers, or a
 * primitive of `@flatshare/sync`. It keeps the object alive, on whatever thread.
 *
 * A class that is being declared, or comes later in the module, is named by a function.
 *
 * @throws TypeError for anything else.
 * @example
 * class Node { @Shared(ref(() => Node)) next: Node | null = null }
 */
export function ref<T extends object>(Class: AnyClass<T> | (() => AnyClass<T>)): ReferenceType<T> {
  if (typeof Class !== 'function') {
    throw new TypeError(
      `ref takes a class, and this is ${Class === undefined ? 'undefined' : String(Class)}. Where modules import each other ` +
        'a class may not be there yet: write ref(() => Account).',
    )
  }
  // Arrow functions have no prototype, classes do.
  const isClass = typeof (Class as { prototype?: unknown }).prototype === 'object'
  return new ReferenceType(isClass ? () => Class as AnyClass<T> : (Class as () => AnyClass<T>))
}
