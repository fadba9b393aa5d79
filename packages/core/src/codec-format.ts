/**
 * Values as bytes: the format.
 *
 *   bytes 0 … 15    header: mark, version, flags, 0; all bytes; the thread that wrote; end of the tokens
 *   tokens          one value
 *   pools           short strings, each pool: kind, units (varint), a zero if needed for an even place, units
 *
 * A token is a tag, and what the tag says follows. Three kinds of value have their number in the tag:
 *
 *   0x40 … 0x7f  the integer 0 … 63         0xc0 … 0xdf  a dense array of 0 … 31 elements
 *   0x80 … 0xbf  a string of 0 … 63 units   0xe0 … 0xff  an object of 0 … 31 members: key list, values
 *
 * Numbers are little-endian, lengths and counts varints of 7 bits a byte.
 *
 * Short strings lie in pools, in the order of their tokens, so that a token needs only its length, and one
 * call of the runtime decodes a whole pool. A string lies in one pool: where it has no room, the next pool begins.
 *
 * Every object, array, map … has a number, in the order in which their tokens begin; `again` refers to one
 * that came before, by which cycles and shared parts are kept.
 *
 * A key list is a hash of 4 bytes, by which one that came in another value is found, the length of each key
 * (a byte), and the keys, joined to one string of the pool. Lists have numbers too, for `sameKeys`.
 *
 * A reference (`marshaler.ts`) is its kind, then each object that its marshaler packed and that had not come yet, behind
 * `packed`, then `body` and the body, in which those are `again`s.
 *
 * What a link carries (`codec-arena.ts`) is tokens alone, one value: no header, and no pools:
 *
 *   0x80 … 0xbf  a string of 0 … 63 units, all ASCII, which follow; others are `ascii`, `latin1`, `utf16` (from any
 *                place on) or `utf8`
 *   long texts and buffers: length, a gap (how many zeros, the zeros), bytes
 *   0xe0         an object without members         0xe1 … 0xff  an object of the shape 0 … 30: values
 *   `sameKeys`   shape (from 31 on), values
 *   `object`     shape + 1 (0: one without a number), count, hash, lengths, keys joined (a string), values
 *
 * A shape is a key list that the link has carried before (`codec-shapes.ts`). Tokens can be told from each other without
 * knowing what they belong to, from front to back, so that shapes are learned from a value that can't be decoded.
 */

/** The first byte; no text begins with it, nor the head of a message of another kind. */
export const MARK = 0xf5
export const VERSION = 1
export const HEADER_BYTES = 16
export const Head = { mark: 0, version: 1, flags: 2, bytes: 4, from: 8, tokensEnd: 12 } as const
/** It may be read many times: what it refers to is not used up by reading. */
export const TABLE_FLAG = 1

export const Tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** varint of the zigzag form; of 32 bits. */
  integer: 4,
  double: 5,
  /** 8 bytes. */
  bigint64: 6,
  /** A negative one, and the other: hexadecimal digits, as a string. */
  bigintBelow: 7,
  bigintAbove: 8,
  /** Strings of the pool, with their length. */
  pooled: 9,
  /** Strings of their own: length, then bytes; UTF-16 from an even place on. */
  ascii: 10,
  latin1: 11,
  utf16: 12,
  again: 13,
  /** An array's element that doesn't exist; a member that is gone. */
  hole: 14,
  /** Ends maps and sets. */
  end: 15,
  array: 16,
  /** With members beside its elements, or few elements: length, count, (key, value) each. */
  keyedArray: 17,
  /** Count, key list, values. */
  object: 18,
  /** The number of a key list of this value, values. */
  sameKeys: 19,
  map: 20,
  set: 21,
  date: 22,
  regexp: 23,
  boxedTrue: 24,
  boxedFalse: 25,
  /** A number, string or bigint as an object: the value follows. */
  boxed: 26,
  /** Length, bytes. */
  buffer: 27,
  /** Greatest length (as a number value), length, bytes. */
  resizableBuffer: 28,
  /** Number in `viewClasses`, offset, length + 1 (0 for one that tracks its buffer), the buffer. */
  view: 29,
  reference: 30,
  packed: 31,
  body: 32,
  /** Of many or long keys: count, keys (strings), values. */
  longObject: 33,
  /** A string of a link: how many bytes, then those. */
  utf8: 34,
  smallInteger: 0x40,
  smallString: 0x80,
  smallArray: 0xc0,
  smallObject: 0xe0,
} as const

export const SMALL_INTEGERS = 64
export const SMALL_STRINGS = 64
export const SMALL_ARRAYS = 32
export const SMALL_OBJECTS = 32
/** Shapes that have their number in the tag. */
export const SMALL_SHAPES = 31

export const PoolKind = { ascii: 0, latin1: 1, utf16: 2 } as const
/** A decoded short string keeps its whole pool in memory, so pools are small. */
export const POOL_UNITS = 4096
/** Longer strings lie by themselves. */
export const POOLED_UNITS = 256

const { Float16Array } = globalThis as { Float16Array?: ViewClass }

/** The views, by the name that each has by its slots. Append only. */
export const viewClasses: ReadonlyArray<readonly [name: string, Class: ViewClass]> = [
  ['DataView', DataView],
  ['Int8Array', Int8Array],
  ['Uint8Array', Uint8Array],
  ['Uint8ClampedArray', Uint8ClampedArray],
  ['Int16Array', Int16Array],
  ['Uint16Array', Uint16Array],
  ['Int32Array', Int32Array],
  ['Uint32Array', Uint32Array],
  ['Float32Array', Float32Array],
  ['Float64Array', Float64Array],
  ['BigInt64Array', BigInt64Array],
  ['BigUint64Array', BigUint64Array],
  ...(Float16Array ? [['Float16Array', Float16Array] as const] : []),
]

/** The number of `Uint8Array`. */
export const UINT8 = 2

type ViewClass = new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView
