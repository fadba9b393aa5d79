/**
 * Strings in value blocks, unit by unit as JavaScript has them, lone surrogates too.
 *
 *   +0  length × 4 + kind      +4  stamp      +8  units: one byte each (ASCII, LATIN1) or two (UTF16)
 *
 * A string has the narrowest kind that holds it, so equal strings have equal bytes. The empty one has no
 * block. A block isn't written again: a string that changes gets another one, and no reader sees half.
 *
 * Which way is the fastest was measured: short strings go unit by unit, longer ASCII by the runtime's own
 * conversion. Writing goes by way of private memory, since not every browser converts into shared memory.
 */
import { i32, reach, u8, u16, u32 } from '@flatshare/core/internal'
import { allocateValue } from '../heap/index.js'
import { nextStamp } from './stamp.js'

const ASCII = 0
const LATIN1 = 1
const UTF16 = 2
/** Of a block, before the units. */
const HEAD_BYTES = 8
/** Shorter strings are written faster unit by unit … */
const NATIVE_WRITE = 40
/** … and read faster so. */
const NATIVE_READ = 32
/** A call can't have any number of arguments. */
const UNITS_AT_ONCE = 4096
const KEPT_BYTES = 1 << 16

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const fromUnits = String.fromCharCode as (...units: any) => string

/** Not every browser's decoder takes shared memory. */
const decodesShared = ((): boolean => {
  try {
    return decoder.decode(new Uint8Array(new SharedArrayBuffer(1))) === '\0'
  } catch {
    return false
  }
})()

let scratch = new Uint8Array(4096)

/** Private memory for so many bytes; what a single long string needed is not kept. */
function privateBytes(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes <= scratch.length) return scratch
  const made = new Uint8Array(bytes)
  if (bytes <= KEPT_BYTES) scratch = made
  return made
}

/** A block with the string. The caller is in a section of the heap. */
export function makeText(text: string): number {
  const { length } = text
  if (length === 0) return 0
  if (length >= NATIVE_WRITE && beginsAsAscii(text)) {
    const bytes = privateBytes(length)
    const { read, written } = encoder.encodeInto(text, bytes)
    if (read === length && written === length) {
      const block = begin(length, ASCII, length)
      u8.set(bytes.subarray(0, length), block + HEAD_BYTES)
      return block
    }
  }
  const kind = kindOf(text)
  const block = begin(length, kind, kind === UTF16 ? length * 2 : length)
  if (kind === UTF16) {
    const start = (block + HEAD_BYTES) >> 1
    for (let i = 0; i < length; i++) u16[start + i] = text.charCodeAt(i)
  } else {
    const start = block + HEAD_BYTES
    for (let i = 0; i < length; i++) u8[start + i] = text.charCodeAt(i)
  }
  return block
}

function begin(length: number, kind: number, bytes: number): number {
  const block = allocateValue(HEAD_BYTES + bytes)
  u32[block >> 2] = length * 4 + kind
  i32[(block + 4) >> 2] = nextStamp()
  return block
}

/** A look at the beginning saves most other texts the try. */
function beginsAsAscii(text: string): boolean {
  for (let i = 0; i < 8; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function kindOf(text: string): number {
  let all = 0
  for (let i = 0; i < text.length; i++) {
    all |= text.charCodeAt(i)
    if (all > 0xff) return UTF16
  }
  return all < 0x80 ? ASCII : LATIN1
}

/** The string in a block; 0 is the empty one. The caller holds the lock of the cell that owns it. */
export function readText(block: number): string {
  if (block === 0) return ''
  reach(block + HEAD_BYTES)
  const word = u32[block >> 2]!
  const length = word >>> 2
  const kind = word & 3
  const start = block + HEAD_BYTES
  reach(start + (kind === UTF16 ? length * 2 : length))
  if (kind === UTF16) return fromWide(start >> 1, length)
  if (length <= NATIVE_READ) return fromFew(start, length)
  if (kind === LATIN1) return fromNarrow(start, length)
  const shared = u8.subarray(start, start + length)
  if (decodesShared) return decoder.decode(shared)
  const bytes = privateBytes(length)
  bytes.set(shared)
  return decoder.decode(bytes.subarray(0, length))
}

/** Lists of 0, 1, … units, used again and again. */
const units = Array.from({ length: NATIVE_READ + 1 }, (_, length) => new Array<number>(length).fill(0))

function fromFew(start: number, length: number): string {
  const few = units[length]!
  for (let i = 0; i < length; i++) few[i] = u8[start + i]!
  return fromUnits.apply(null, few)
}

function fromNarrow(start: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i += UNITS_AT_ONCE) {
    text += fromUnits.apply(null, u8.subarray(start + i, start + Math.min(i + UNITS_AT_ONCE, length)) as never)
  }
  return text
}

function fromWide(start: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i += UNITS_AT_ONCE) {
    text += fromUnits.apply(null, u16.subarray(start + i, start + Math.min(i + UNITS_AT_ONCE, length)) as never)
  }
  return text
}

const FACTOR = 0x01000193

/** Of the units, whatever the kind. */
export function hashText(text: string): number {
  let hash = text.length
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FACTOR)
  return (hash ^ (hash >>> 15)) >>> 0
}

export function hashTextAt(block: number): number {
  if (block === 0) return hashText('')
  reach(block + HEAD_BYTES)
  const word = u32[block >> 2]!
  const length = word >>> 2
  let hash = length
  if ((word & 3) === UTF16) {
    const start = (block + HEAD_BYTES) >> 1
    reach(block + HEAD_BYTES + length * 2)
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ u16[start + i]!, FACTOR)
  } else {
    const start = block + HEAD_BYTES
    reach(start + length)
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ u8[start + i]!, FACTOR)
  }
  return (hash ^ (hash >>> 15)) >>> 0
}

/** Whether a block has this string, without decoding it. */
export function isTextAt(block: number, text: string): boolean {
  const { length } = text
  if (block === 0) return length === 0
  reach(block + HEAD_BYTES)
  const word = u32[block >> 2]!
  if (word >>> 2 !== length) return false
  if ((word & 3) === UTF16) {
    const start = (block + HEAD_BYTES) >> 1
    reach(block + HEAD_BYTES + length * 2)
    for (let i = 0; i < length; i++) if (u16[start + i] !== text.charCodeAt(i)) return false
  } else {
    const start = block + HEAD_BYTES
    reach(start + length)
    for (let i = 0; i < length; i++) if (u8[start + i] !== text.charCodeAt(i)) return false
  }
  return true
}
