/**
 * The quickest way for what most calls carry: one primitive value, or a short list of them. The tokens are those of a
 * link (`codec-format.ts`); nothing here runs code of users or keeps anything, so that there is nothing to undo.
 */
import { SMALL_ARRAYS, SMALL_INTEGERS, Tag } from './codec-format.js'
import { shortText } from './codec-text.js'
import { views } from './memory.js'

/** Longer strings go the other way. */
const MOST_UNITS = 40
/** The most bytes of one token here. */
const WIDEST = MOST_UNITS + 1

/** What isn't that simple. */
export const OTHER = Symbol('not simple')

const double = new Float64Array(1)
const itsBytes = new Uint8Array(double.buffer)
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Writes a primitive value; gives the address behind, 0 for anything else, and where there may be too little room. */
export function writePrimitive(x: unknown, start: number, end: number): number {
  const bytes = views.u8
  if (end - start < WIDEST) return 0
  let at = start
  if (typeof x === 'number') {
    if ((x | 0) !== x || (x === 0 && 1 / x < 0)) return writeDouble(x, at)
    if (x >= 0 && x < SMALL_INTEGERS) bytes[at++] = Tag.smallInteger + x
    else {
      bytes[at++] = Tag.integer
      let zigzag = ((x << 1) ^ (x >> 31)) >>> 0
      for (; zigzag > 0x7f; zigzag >>>= 7) bytes[at++] = (zigzag & 0x7f) | 0x80
      bytes[at++] = zigzag
    }
    return at
  }
  if (typeof x === 'string') {
    const { length } = x
    if (length > MOST_UNITS) return 0
    bytes[at++] = Tag.smallString + length
    for (let i = 0; i < length; i++) {
      const unit = x.charCodeAt(i)
      if (unit > 0x7f) return 0
      bytes[at++] = unit
    }
    return at
  }
  if (x === undefined) bytes[at++] = Tag.undefined
  else if (x === null) bytes[at++] = Tag.null
  else if (typeof x === 'boolean') bytes[at++] = x ? Tag.true : Tag.false
  else return 0
  return at
}

function writeDouble(x: number, at: number): number {
  if (!littleEndian) return 0
  const bytes = views.u8
  bytes[at] = Tag.double
  double[0] = x
  for (let i = 0; i < 8; i++) bytes[at + 1 + i] = itsBytes[i]!
  return at + 9
}

/** The same for an array of them, which has elements alone. */
export function writePrimitives(list: readonly unknown[], start: number, end: number): number {
  const { length } = list
  if (length >= SMALL_ARRAYS || start >= end) return 0
  views.u8[start] = Tag.smallArray + length
  let at = start + 1
  for (let i = 0; i < length; i++) {
    at = writePrimitive(list[i], at, end)
    if (at === 0) return 0
  }
  return at
}

/** Behind what was read last. */
let next = 0

/** As long as it will be: one that grows takes room for many more. */
function listOf(length: number, first: unknown): unknown[] {
  if (length === 1) return [first]
  if (length === 2) return [first, undefined]
  if (length === 3) return [first, undefined, undefined]
  return [first, undefined, undefined, undefined]
}

/** What was written from `start` to `end`, as far as it is a primitive value, or a list of them; else `OTHER`. */
export function readPrimitives(start: number, end: number): unknown {
  if (start >= end) return OTHER
  const tag = views.u8[start]!
  if (tag < Tag.smallArray || tag >= Tag.smallObject) {
    const x = readPrimitive(start, end)
    return next === end ? x : OTHER
  }
  const length = tag - Tag.smallArray
  next = start + 1
  const list: unknown[] = length === 0 ? [] : listOf(length, readPrimitive(next, end))
  if (list[0] === OTHER) return OTHER
  for (let i = 1; i < length; i++) {
    const x = readPrimitive(next, end)
    if (x === OTHER) return OTHER
    list[i] = x
  }
  return next === end ? list : OTHER
}

function readPrimitive(start: number, end: number): unknown {
  const bytes = views.u8
  let at = start
  if (at >= end) return OTHER
  const tag = bytes[at++]!
  if (tag >= Tag.smallInteger && tag < Tag.smallString) {
    next = at
    return tag - Tag.smallInteger
  }
  if (tag >= Tag.smallString && tag < Tag.smallArray) {
    const length = tag - Tag.smallString
    if (length > MOST_UNITS || at + length > end) return OTHER
    next = at + length
    return shortText(bytes, at, length)
  }
  switch (tag) {
    case Tag.integer: {
      let zigzag = 0
      for (let shift = 0; at < end && shift < 35; shift += 7) {
        const byte = bytes[at++]!
        zigzag |= (byte & 0x7f) << shift
        if (byte < 0x80) {
          next = at
          return (zigzag >>> 1) ^ -(zigzag & 1)
        }
      }
      return OTHER
    }
    case Tag.double:
      if (at + 8 > end || !littleEndian) return OTHER
      for (let i = 0; i < 8; i++) itsBytes[i] = bytes[at + i]!
      next = at + 8
      return double[0]
    case Tag.undefined:
      next = at
      return undefined
    case Tag.null:
      next = at
      return null
    case Tag.false:
      next = at
      return false
    case Tag.true:
      next = at
      return true
    default:
      return OTHER
  }
}
