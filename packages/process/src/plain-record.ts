/**
 * The calls and answers that come most, those that carry a few primitive values or what is made of such, as bytes of our
 * own: V8's serialization takes longer to begin than most of these take in all.
 *
 *   NAME     text                      from now on that member is known by the next number
 *   CALL     how and flags, object, name, number of the call, deadline where flags say so, then how many arguments and those,
 *            or where flags say so the arguments as one bare value
 *   ANSWER   number of the call, value
 *
 * Each begins with a byte that says which it is, and none of V8's values begins with one of those. Numbers of things are
 * varints: 7 bits a byte, the lowest first. A value is a tag, and what that says; a text its units, a byte each; a bare
 * value (`bare-value.ts`) its length in 4 bytes, and its bytes.
 *
 * Invariants: what can't be written leaves bytes and names as they were; names have their numbers in the order in which
 * they came by the link, which is that in which they were written.
 */
import { messages } from '@flatshare/apartment/internal'
import { MOST_BARE_BYTES } from './bare-value.js'

const { CALL, ANSWER } = messages
export const NAME = 13

export const hows = ['call', 'get', 'set', 'apply', 'create', 'idle'] as const
export const HOW_BITS = 0x07
export const HAS_DEADLINE = 0x08
export const ONE_WAY = 0x10
export const IS_BARE = 0x20

export const Tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  /** A varint: that number, or what is so much below −1. */
  integer: 4,
  negative: 5,
  double: 6,
  text: 7,
  bare: 8,
  /** From here on the integers from 0 on. */
  small: 0x40,
} as const
export const SMALL_INTEGERS = 0x100 - Tag.small

/** Longer texts, more arguments and more names go another way. */
export const MOST_UNITS = 64
export const MOST_ARGUMENTS = 32
export const MOST_NAMES = 4096

/** No run of messages is longer, so that there is room for any. */
export const LONGEST_RUN = 2 * MOST_BARE_BYTES

/** For the bytes of a number. */
export const double = new Float64Array(1)
export const itsBytes = new Uint8Array(double.buffer)

/** Whether these are messages written here, and no value of V8's. */
export function isPlainRecord(bytes: Uint8Array, at: number): boolean {
  const kind = bytes[at]
  return kind === CALL || kind === ANSWER || kind === NAME
}
