/** Fixed arrays of numbers, as programs name and see them. */
import { isScalarName } from './scalars.js'
import type { NumberTypeName } from './value-types.js'

/** A typed array over the numbers. */
export type RawArray<V extends number | bigint = number | bigint> = V extends bigint
  ? BigInt64Array | BigUint64Array
  : Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array

/** Made by `array`. */
export class ArrayType<N extends NumberTypeName> {
  constructor(
    readonly of: N,
    readonly length: number,
  ) {}
}

const MOST_BYTES = 1 << 28

/**
 * A type of so many numbers that stay in their place: `array('u32', 24)` is `'u32[24]'`.
 *
 * @throws TypeError for a type that is no number's.
 * @throws RangeError for a length that is no whole number from 1.
 */
export function array<N extends NumberTypeName>(of: N, length: number): ArrayType<N> {
  if (!isScalarName(of) || (of as string) === 'bool') {
    throw new TypeError(`An array is of numbers, such as 'u32' or 'f64'; not of ${String(of)}.`)
  }
  if (!Number.isInteger(length) || length < 1 || length > MOST_BYTES) {
    throw new RangeError(`The length of an array is a whole number from 1 to ${MOST_BYTES}, not ${String(length)}.`)
  }
  return new ArrayType(of, length)
}

/**
 * The numbers of a shared field, in shared memory: a view, not a copy. Each access is to the field itself,
 * atomic from outside of the object's methods, as for a field of one number. Assigning the field copies.
 *
 * Besides indices (`a[3]`, `a[3] = 1`) there are `get` and `set`, which are faster.
 */
export interface SharedArray<V extends number | bigint = number> extends Iterable<V> {
  [index: number]: V
  readonly length: number
  /** The number at an index, from the end if that is negative; undefined outside. */
  at(index: number): V | undefined
  /**
   * The number at an index.
   *
   * @throws RangeError outside of the array.
   */
  get(index: number): V
  /**
   * Replaces one number, or several from `offset` on (at once: nobody sees half of them).
   *
   * @throws TypeError, RangeError for a number that doesn't fit, and outside of the array. Nothing is written then.
   */
  set(index: number, value: V): this
  set(values: ArrayLike<V>, offset?: number): this
  /** Sets all from `start` to `end`, at once. */
  fill(value: V, start?: number, end?: number): this
  /** A copy, of one moment. */
  toArray(): V[]
  /** As an array, of one moment, for `JSON.stringify`. */
  toJSON(): V[]
  /**
   * The memory itself, as a typed array: for loops that are worth it, inside a method of the object or
   * `locked`. It must not be used afterwards.
   *
   * @throws FlatshareError outside of them.
   */
  view(): RawArray<V>
  keys(): IterableIterator<number>
  values(): IterableIterator<V>
  entries(): IterableIterator<[number, V]>
  [Symbol.iterator](): IterableIterator<V>
}
