/** The tokens of maps, buffers and whatever else structured clone knows by its internal slots. */
import { Tag, UINT8 } from './codec-format.js'
import { cloneKindOf, objectLabel } from './codec-kinds.js'
import { Refused } from './codec-refused.js'
import { tracksItsBuffer, viewNumber } from './codec-views.js'
import type { ByteWriter } from './codec-writer.js'

/** What writes tokens: the encoder. */
export interface Tokens {
  readonly out: ByteWriter
  /** Any value. */
  value(x: unknown): void
  string(x: string): void
  /** The members of an object. */
  plain(x: Record<string, unknown>): void
  /** A buffer, which may have come already; all of its bytes, where there is a view of them. */
  buffer(x: ArrayBuffer, bytes?: Uint8Array): void
}

const mapEntries = Map.prototype.entries
const setValues = Set.prototype.values

/** Encodes any object but arrays and references; one of a program's own class by its members. */
export function encodeBuiltIn(x: object, tokens: Tokens): void {
  const { out } = tokens
  switch (cloneKindOf(x)) {
    case 'plain':
      tokens.plain(x as Record<string, unknown>)
      return
    case 'map':
      out.byte(Tag.map)
      for (const [key, value] of snapshot(mapEntries.call(x), x as Map<unknown, unknown>)) {
        tokens.value(key)
        tokens.value(value)
      }
      out.byte(Tag.end)
      return
    case 'set':
      out.byte(Tag.set)
      for (const value of snapshot(setValues.call(x), x as Set<unknown>)) tokens.value(value)
      out.byte(Tag.end)
      return
    case 'date':
      out.byte(Tag.date)
      out.double(Date.prototype.getTime.call(x))
      return
    case 'regexp':
      out.byte(Tag.regexp)
      tokens.string((x as RegExp).source)
      tokens.string((x as RegExp).flags)
      return
    case 'boxed':
      encodeBoxed((x as Boolean | Number | String | BigInt).valueOf(), tokens)
      return
    case 'buffer':
      encodeBuffer(x as ArrayBuffer, tokens)
      return
    case 'view':
      encodeView(x as ArrayBufferView, tokens)
      return
    case 'symbol':
      throw new Refused('a symbol', x)
    case 'sharedBuffer':
    case 'refused':
      throw new Refused(objectLabel(x), x)
  }
}

/** What the collection has now; who reads the members may add to it. */
function* snapshot<T>(items: Iterable<T>, { size }: { readonly size: number }): Generator<T> {
  let left = size
  for (const item of items) {
    if (left-- === 0) return
    yield item
  }
}

function encodeBoxed(value: boolean | number | string | bigint, tokens: Tokens): void {
  if (typeof value === 'boolean') tokens.out.byte(value ? Tag.boxedTrue : Tag.boxedFalse)
  else {
    tokens.out.byte(Tag.boxed)
    tokens.value(value)
  }
}

/** Encodes a buffer, with `bytes` where there is a view of all of them. */
export function encodeBuffer(x: ArrayBuffer, tokens: Tokens, bytes = bytesOf(x)): void {
  const { out } = tokens
  if (x.resizable) {
    out.byte(Tag.resizableBuffer)
    tokens.value(x.maxByteLength)
  } else out.byte(Tag.buffer)
  out.run(bytes.length)
  out.bytes(bytes)
}

function bytesOf(x: ArrayBuffer): Uint8Array {
  try {
    return new Uint8Array(x)
  } catch {
    throw new Refused('an ArrayBuffer that was transferred', x)
  }
}

function encodeView(x: ArrayBufferView, tokens: Tokens): void {
  const { out } = tokens
  const number = viewNumber(x)
  const { buffer } = x
  if (number === undefined) throw new Refused(objectLabel(x), x)
  if (!(buffer instanceof ArrayBuffer) && cloneKindOf(buffer) === 'sharedBuffer')
    throw new Refused('a view of a SharedArrayBuffer', x)
  let offset: number
  let length: number
  try {
    // A DataView beyond the end of its buffer throws, the others give 0.
    offset = x.byteOffset
    length = x instanceof DataView ? x.byteLength : (x as Uint8Array).length
  } catch {
    throw new Refused('a view beyond the end of its buffer', x)
  }
  out.byte(Tag.view)
  out.byte(number)
  out.varint(offset)
  out.varint(tracksItsBuffer(x) ? 0 : length + 1)
  const whole = number === UINT8 && length > 0 && length === buffer.byteLength
  tokens.buffer(buffer as ArrayBuffer, whole ? (x as Uint8Array) : undefined)
}
