/** Bytes that are read once, from front to back, with the pools of their short strings (`codec-format.ts`). */
import { HEADER_BYTES, Head, MARK, PoolKind, VERSION } from './codec-format.js'
import { arrivedKeyList, type KeyList, keepKeyList } from './codec-keys.js'
import { FlatshareError } from './errors.js'

const FIRST_BYTES = 4096
/** What a single value made larger is not kept. */
const KEPT_BYTES = 1 << 16
/** Fewer are copied faster one by one. */
const NATIVE_BYTES = 100
/** Shorter texts are made from their units. */
const NATIVE_UNITS = 20
/** A call can't have any number of arguments. */
const UNITS_AT_ONCE = 4096
const GREATEST_VARINT = 8

const decoder = new TextDecoder()
const fromUnits = String.fromCharCode as (...units: any) => string

export class ByteReader {
  /** Of the next byte. */
  at = 0
  /** Behind the tokens. */
  end = 0
  from = 0
  flags = 0
  view: DataView<ArrayBuffer>
  #bytes: Uint8Array<ArrayBuffer>
  #units: Uint16Array<ArrayBuffer>
  #room: number
  #nextPool = 0
  #poolsEnd = 0
  #pool = ''
  #poolAt = 0

  constructor() {
    this.#bytes = new Uint8Array(FIRST_BYTES)
    this.#units = new Uint16Array(this.#bytes.buffer)
    this.view = new DataView(this.#bytes.buffer)
    this.#room = FIRST_BYTES
  }

  /** Reads `source` from a private copy: bytes that another thread overwrites by mistake could make a runtime crash. */
  begin(source: Uint8Array, start: number, length: number): void {
    if (start + length > source.length) throw this.damaged('it goes on beyond the end')
    if (length > this.#room || this.#room > KEPT_BYTES) this.#take(Math.max(FIRST_BYTES, length + (length & 1)))
    if (length < NATIVE_BYTES) for (let i = 0; i < length; i++) this.#bytes[i] = source[start + i]!
    else this.#bytes.set(source.subarray(start, start + length))
    this.at = 0
    this.end = length
    if (length < HEADER_BYTES) throw this.damaged('it is too short')
    const { view } = this
    if (view.getUint8(Head.mark) !== MARK) throw this.damaged('it begins otherwise')
    const version = view.getUint8(Head.version)
    if (version !== VERSION) {
      throw new FlatshareError(
        `A value was encoded in version ${version} of the format, and this copy of @flatshare/core reads version ` +
          `${VERSION}. Let all threads load one version.`,
      )
    }
    this.flags = view.getUint16(Head.flags, true)
    this.from = view.getUint32(Head.from, true)
    const tokensEnd = view.getUint32(Head.tokensEnd, true)
    if (view.getUint32(Head.bytes, true) !== length || tokensEnd <= HEADER_BYTES || tokensEnd > length) {
      throw this.damaged('its length is another')
    }
    this.at = HEADER_BYTES
    this.end = tokensEnd
    this.#nextPool = tokensEnd
    this.#poolsEnd = length
    this.#pool = ''
    this.#poolAt = 0
  }

  /** Lets go of what reading kept. */
  finish(): void {
    this.#pool = ''
    if (this.#room > KEPT_BYTES) this.#take(FIRST_BYTES)
  }

  #take(bytes: number): void {
    this.#bytes = new Uint8Array(bytes)
    this.#units = new Uint16Array(this.#bytes.buffer)
    this.view = new DataView(this.#bytes.buffer)
    this.#room = bytes
  }

  damaged(what: string, cause?: unknown): FlatshareError {
    return new FlatshareError(
      `The bytes of a value are damaged: ${what}, at byte ${this.at}.`,
      cause === undefined ? undefined : { cause },
    )
  }

  byte(): number {
    if (this.at >= this.end) throw this.damaged('they end too early')
    return this.#bytes[this.at++]!
  }

  varint(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let x = first & 0x7f
    let factor = 0x80
    for (let i = 1; i < GREATEST_VARINT; i++, factor *= 0x80) {
      const byte = this.byte()
      x += (byte & 0x7f) * factor
      if (byte < 0x80) return x
    }
    throw this.damaged('a number is too long')
  }

  /** How many of what takes at least `each` bytes follow. */
  count(each = 1): number {
    const count = this.varint()
    this.#reach(count * each)
    return count
  }

  #reach(bytes: number): void {
    if (this.at + bytes > this.end) throw this.damaged('they end too early')
  }

  double(): number {
    this.#reach(8)
    const x = this.view.getFloat64(this.at, true)
    this.at += 8
    return x
  }

  bigint64(): bigint {
    this.#reach(8)
    const x = this.view.getBigInt64(this.at, true)
    this.at += 8
    return x
  }

  /** Bytes that stay valid until the next value. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    this.#reach(length)
    const start = this.at
    this.at += length
    return this.#bytes.subarray(start, this.at)
  }

  /** A string of the pool, by its length. */
  pooled(length: number): string {
    if (this.#poolAt + length > this.#pool.length) this.#turnPool(length)
    const start = this.#poolAt
    this.#poolAt = start + length
    return this.#pool.slice(start, this.#poolAt)
  }

  /** A list of so many keys. */
  keyList(count: number): KeyList {
    this.#reach(4 + count)
    const hash = this.view.getUint32(this.at, true)
    const start = this.at + 4
    this.at = start + count
    const known = arrivedKeyList(hash)
    if (known && known.hash === hash && this.#follows(known, start, count)) return known
    const lengths = this.#bytes.slice(start, start + count)
    return keepKeyList(this.pooled(lengths.reduce((sum, length) => sum + length, 0)), lengths, hash)
  }

  /** Whether the list whose lengths begin at `start` is that one; if so, it has been read. */
  #follows({ lengths, joined }: KeyList, start: number, count: number): boolean {
    if (lengths.length !== count) return false
    const bytes = this.#bytes
    for (let i = 0; i < count; i++) if (bytes[start + i] !== lengths[i]) return false
    const { length } = joined
    if (this.#poolAt + length > this.#pool.length) this.#turnPool(length)
    if (!this.#pool.startsWith(joined, this.#poolAt)) return false
    this.#poolAt += length
    return true
  }

  #turnPool(length: number): void {
    if (this.#poolAt !== this.#pool.length) throw this.damaged('a string is in no pool')
    const { at, end } = this
    this.at = this.#nextPool
    this.end = this.#poolsEnd
    const kind = this.byte()
    this.#pool = this.units(kind)
    this.#poolAt = 0
    this.#nextPool = this.at
    this.at = at
    this.end = end
    if (length > this.#pool.length) throw this.damaged('a string is in no pool')
  }

  /** Length and units of a string. */
  units(kind: number): string {
    const length = this.count(kind === PoolKind.utf16 ? 2 : 1)
    switch (kind) {
      case PoolKind.ascii: {
        const bytes = this.bytes(length)
        return length < NATIVE_UNITS ? fromUnits.apply(null, bytes as never) : decoder.decode(bytes)
      }
      case PoolKind.latin1:
        return textOf(this.bytes(length))
      case PoolKind.utf16: {
        this.at += this.at & 1
        const start = this.at >> 1
        this.bytes(length * 2)
        return textOf(this.#units.subarray(start, start + length))
      }
      default:
        throw this.damaged('a string is of no kind')
    }
  }
}

function textOf(units: Uint8Array | Uint16Array): string {
  if (units.length <= UNITS_AT_ONCE) return fromUnits.apply(null, units as never)
  const parts: string[] = []
  for (let i = 0; i < units.length; i += UNITS_AT_ONCE) {
    parts.push(fromUnits.apply(null, units.subarray(i, i + UNITS_AT_ONCE) as never))
  }
  return parts.join('')
}
