/** What a `SharedVector` promises; its class is in `vector.ts`. */
import type { CrossesAsItself } from '@flatshare/core'
import type { DeepReadonly, SharedType, TypeFor, ValueIn, ValueOut } from '../cells/value-types.js'

/** How to make a `SharedVector`. */
export interface SharedVectorOptions<T = SharedType> {
  /** The type of its elements: any type that a `@Shared` field has. */
  readonly of: T
}

/**
 * An array that any thread uses directly: elements of one type, one after another, without holes. See `SharedMap` for
 * what it means that it is shared.
 *
 * Its methods are those of `Array`, with `get` and `set` for `a[i]`. Those that only look (`find`, `map`, `indexOf`, …)
 * work on a copy of the moment when they are called, and run the functions that they are given without the vector's
 * lock; `sort` and `update` run them inside. What gives an array gives an ordinary one.
 *
 * `push`, `pop`, `shift` and `unshift` of one element take the same time however long the vector is, all things
 * considered; `splice`, `fill`, `sort` and `reverse` copy it.
 *
 * @example
 * const scores = new SharedVector({ of: 'f64' }, [3, 1, 2])
 * scores.push(4)
 * scores.update(0, (score) => score + 1)
 */
export interface SharedVector<V, Out = DeepReadonly<V>> extends Iterable<Out>, Disposable, CrossesAsItself {
  readonly length: number
  /** The element at an index; undefined outside. */
  get(index: number): Out | undefined
  /** The element at an index, from the end if that is negative; undefined outside. */
  at(index: number): Out | undefined
  /**
   * Sets the element at an index that there is.
   *
   * @throws RangeError outside.
   * @throws TypeError, RangeError for a value that the type doesn't take.
   * @throws HeapFullError; the vector is as it was then.
   */
  set(index: number, value: V): this
  /**
   * Sets an element to what `fn` makes of it, in one step for all threads; gives the new one.
   *
   * @throws RangeError where there is none.
   */
  update(index: number, fn: (value: Out) => V): Out
  /** Adds elements at the end, all or none; gives the length. */
  push(...values: V[]): number
  pop(): Out | undefined
  shift(): Out | undefined
  /** Adds elements in front, all or none; gives the length. */
  unshift(...values: V[]): number
  splice(start: number, deleteCount?: number): Out[]
  splice(start: number, deleteCount: number, ...values: V[]): Out[]
  fill(value: V, start?: number, end?: number): this
  sort(compare?: (a: Out, b: Out) => number): this
  reverse(): this
  /** Removes all elements, and gives their memory back. */
  clear(): void
  slice(start?: number, end?: number): Out[]
  indexOf(value: Out, from?: number): number
  lastIndexOf(value: Out, from?: number): number
  includes(value: Out, from?: number): boolean
  find<S extends Out>(fn: (value: Out, index: number) => value is S): S | undefined
  find(fn: (value: Out, index: number) => unknown): Out | undefined
  findIndex(fn: (value: Out, index: number) => unknown): number
  findLast(fn: (value: Out, index: number) => unknown): Out | undefined
  findLastIndex(fn: (value: Out, index: number) => unknown): number
  filter<S extends Out>(fn: (value: Out, index: number) => value is S): S[]
  filter(fn: (value: Out, index: number) => unknown): Out[]
  map<R>(fn: (value: Out, index: number) => R): R[]
  flatMap<R>(fn: (value: Out, index: number) => R | readonly R[]): R[]
  forEach(fn: (value: Out, index: number) => void): void
  reduce(fn: (result: Out, value: Out, index: number) => Out): Out
  reduce<R>(fn: (result: R, value: Out, index: number) => R, initial: R): R
  reduceRight(fn: (result: Out, value: Out, index: number) => Out): Out
  reduceRight<R>(fn: (result: R, value: Out, index: number) => R, initial: R): R
  some(fn: (value: Out, index: number) => unknown): boolean
  every(fn: (value: Out, index: number) => unknown): boolean
  join(separator?: string): string
  keys(): IterableIterator<number>
  values(): IterableIterator<Out>
  entries(): IterableIterator<[number, Out]>
  /** The elements. */
  toJSON(): Out[]
  /** Gives the vector up on this thread. It is gone when no thread and no object has it any more. */
  [Symbol.dispose](): void
  readonly [Symbol.toStringTag]: string
}

export interface SharedVectorConstructor {
  /**
   * Makes a vector, with elements to begin with.
   *
   * @throws TypeError, RangeError, FlatshareError for options that aren't what they should be.
   * @throws HeapFullError
   */
  new <const T extends SharedType>(
    options: SharedVectorOptions<T>,
    values?: Iterable<ValueIn<T>> | null,
  ): SharedVector<ValueIn<T>, ValueOut<T>>
  new <V, Out = DeepReadonly<V>>(
    options: SharedVectorOptions<TypeFor<V>>,
    values?: Iterable<V> | null,
  ): SharedVector<V, Out>
  readonly prototype: SharedVector<any, any>
}
