/**
 * Values as bytes in shared memory: the way between threads where one of them may be blocked, so that no
 * message reaches it.
 *
 * What structured clone keeps is kept, and so are errors and references, as `marshal` keeps them. What has
 * no bytes (functions and other references that need a port, a `SharedArrayBuffer`, streams) is refused,
 * with its place in the value.
 *
 * A block with a value is written before another thread hears of its address, and isn't written again: so
 * readers need no lock. It is read from a private copy of it.
 */
import { allocate, free } from './allocator.js'
import { Decoder } from './codec-decode.js'
import { type EncodeOptions, Encoder } from './codec-encode.js'
import { HEADER_BYTES, Head, MARK } from './codec-format.js'
import { FlatshareError } from './errors.js'
import { arena, reach, u8, u32 } from './memory.js'

/** A value in shared memory. */
export interface WrittenValue {
  readonly address: number
  /** The length of its block. */
  readonly bytes: number
}

/** Those that nobody uses. What encodes or decodes within another value (a getter, a marshaler) needs its own. */
const encoders: Encoder[] = []
const decoders: Decoder[] = []

/** The bytes of `x`; they are valid until `use` returns. */
function withBytes<R>(x: unknown, options: EncodeOptions, use: (bytes: Uint8Array<ArrayBuffer>) => R): R {
  const encoder = encoders.pop() ?? new Encoder()
  try {
    return use(encoder.encode(x, options))
  } finally {
    encoders.push(encoder)
  }
}

/**
 * Encodes a value. Its bytes can be decoded once, on any thread of this process; any number of times with
 * `table`, which refuses the references that are for one receiver.
 *
 * @throws NotMarshalableError for what has no bytes; the message says where. Nothing is half-sent.
 */
export function encodeValue(x: unknown, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  return withBytes(x, options, (bytes) => bytes.slice())
}

/**
 * The value that `encodeValue` encoded. The bytes aren't kept, and nothing in the value refers to them.
 *
 * @throws FlatshareError for bytes that are damaged, or of another version of the format.
 * @throws NotMarshalableError for a reference whose package this thread hasn't imported.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  return decodeFrom(bytes, 0, bytes.length)
}

/** As `decodeValue`, for `length` bytes that lie at an address of the arena, within this thread's views. */
export function decodeAt(address: number, length: number): unknown {
  return decodeFrom(u8, address, length)
}

function decodeFrom(source: Uint8Array, start: number, length: number): unknown {
  const decoder = decoders.pop() ?? new Decoder()
  try {
    return decoder.decode(source, start, length)
  } finally {
    decoders.push(decoder)
  }
}

/**
 * As `encodeValue`, into a block of the arena. Give it back with `freeValue`, on any thread.
 *
 * @throws NotMarshalableError as `encodeValue`.
 * @throws FlatshareError when the arena is full.
 */
export function writeValue(x: unknown, options: EncodeOptions = {}): WrittenValue {
  return withBytes(x, options, (bytes) => {
    const { length } = bytes
    let address: number
    try {
      address = allocate(length)
    } catch (error) {
      release(bytes, 0, length)
      throw error
    }
    u8.set(bytes, address)
    return { address, bytes: length }
  })
}

/** The value of the block at `address`, as `decodeValue`. Its writing must have happened before. */
export function readValue(address: number): unknown {
  // First: it may make the views anew.
  const length = lengthAt(address)
  return decodeFrom(u8, address, length)
}

/** Gives the block back, which no thread may read any more. `unread` lets go of the references in a value that nobody has read. */
export function freeValue(address: number, { unread = false } = {}): void {
  const length = lengthAt(address)
  if (unread) release(u8, address, length)
  free(address, length)
}

function release(source: Uint8Array, start: number, length: number): void {
  const decoder = decoders.pop() ?? new Decoder()
  try {
    decoder.release(source, start, length)
  } finally {
    decoders.push(decoder)
  }
}

/** How long the value at `address` is; all of it can be read then. */
function lengthAt(address: number): number {
  if (Number.isSafeInteger(address) && address > 0 && address % 16 === 0 && exists(address + HEADER_BYTES)) {
    const length = u32[(address + Head.bytes) >> 2]!
    if (u8[address + Head.mark] === MARK && length >= HEADER_BYTES && exists(address + length)) return length
  }
  throw new FlatshareError(`There is no value at the address ${String(address)} of shared memory.`)
}

function exists(end: number): boolean {
  if (end <= u8.length) return true
  if (end > arena().byteLength) return false
  reach(end)
  return true
}
