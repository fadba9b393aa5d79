/** What a `SharedSet` promises; its class is in `set.ts`. */
import type { CrossesAsItself } from '@flatshare/core'
import type { SharedType, TypeFor, ValueIn } from '../cells/value-types.js'

/** How to make a `SharedSet`. */
export interface SharedSetOptions<T = SharedType> {
  /** The type of its values: a number, `'bool'`, `'string'`, an enumeration, or a class whose objects are in it. */
  readonly of: T
}

/** What can be asked like a set: a `Set`, a `SharedSet`, the keys of a `Map`. */
export interface SetLike<T> {
  readonly size: number
  has(value: T): boolean
  keys(): Iterator<T>
}

/**
 * A `Set` that any thread uses directly; see `SharedMap` for what that means.
 *
 * What combines it with another set (`union` and the like) works on its values of the moment when it begins, and gives
 * an ordinary `Set`.
 *
 * @example
 * const seen = new SharedSet({ of: 'string' })
 * if (seen.addIfAbsent(url)) await visit(url) // one of all threads does
 */
export interface SharedSet<T> extends Iterable<T>, Disposable, CrossesAsItself {
  /** How many values there are. */
  readonly size: number
  has(value: T): boolean
  /**
   * Puts a value in.
   *
   * @throws TypeError, RangeError for what its type doesn't take.
   * @throws HeapFullError; the set is as it was then.
   */
  add(value: T): this
  /** Puts a value in; says whether it was not there before. Of all threads that do it, one gets true. */
  addIfAbsent(value: T): boolean
  /** Removes a value; says whether it was there. */
  delete(value: T): boolean
  /** Removes all values, and gives their memory back. */
  clear(): void
  /** Calls `fn` for each value of this moment. */
  forEach(fn: (value: T, same: T, set: this) => void, thisArg?: unknown): void
  entries(): IterableIterator<[T, T]>
  keys(): IterableIterator<T>
  values(): IterableIterator<T>
  union<U>(other: SetLike<U>): Set<T | U>
  intersection<U>(other: SetLike<U>): Set<T & U>
  difference<U>(other: SetLike<U>): Set<T>
  symmetricDifference<U>(other: SetLike<U>): Set<T | U>
  isSubsetOf(other: SetLike<unknown>): boolean
  isSupersetOf(other: SetLike<unknown>): boolean
  isDisjointFrom(other: SetLike<unknown>): boolean
  /** The values. */
  toJSON(): T[]
  /** Gives the set up on this thread. It is gone when no thread and no object has it any more. */
  [Symbol.dispose](): void
  readonly [Symbol.toStringTag]: string
}

export interface SharedSetConstructor {
  /**
   * Makes a set, with values to begin with.
   *
   * @throws TypeError, RangeError, FlatshareError for options that aren't what they should be.
   * @throws HeapFullError
   */
  new <const T extends SharedType>(
    options: SharedSetOptions<T>,
    values?: Iterable<ValueIn<T>> | null,
  ): SharedSet<ValueIn<T>>
  new <T>(options: SharedSetOptions<TypeFor<T>>, values?: Iterable<T> | null): SharedSet<T>
  readonly prototype: SharedSet<any>
}
