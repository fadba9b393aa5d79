/**
 * Bytes that are read once, from front to back, with the pools of their short strings (`codec-format.ts`).
 *
 * What a link carries is read in place. Nobody writes there meanwhile, and if somebody does by mistake, then what is read
 * is wrong, and no more: each read is checked to lie within the value, and what calls of the runtime get is a copy.
 */
import { latin1 } from '#platform'
import { HEADER_BYTES, Head, MARK, PoolKind, Tag, VERSION } from './codec-format.js'
import { arrivedKeyList, type KeyList, keepKeyList } from './codec-keys.js'
import { shortText, textOf } from './codec-text.js'
import { arenaView } from './codec-views.js'
import { FlatshareError } from './errors.js'
import { reach, u8 } from './memory.js'

const FIRST_BYTES = 4096
/** What a single value made larger is not kept. */
const KEPT_BYTES = 1 << 16
/** Fewer are copied faster one by one. */
const NATIVE_BYTES = 100
/** Shorter texts are made from their units. */
const NATIVE_UNITS = 20
const GREATEST_VARINT = 8
/** Longer texts that lie in the arena are decoded by the runtime. */
const INLINE_UNITS = 40
/** Shorter parts of a text are copied by engines; from this length on they keep the whole text alive. */
const KEEPING_UNITS = 13
/** So many short texts are made one by one before the bytes around the next are made one text … */
const FEW_TEXTS = 2
/** … of so many bytes at most. */
const WHOLE_BYTES = 2048

/** They mustn't drop what looks like a byte order mark; and lone surrogates, which the second one refuses, are kept otherwise. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const wideDecoder = new TextDecoder('utf-16le', { ignoreBOM: true, fatal: true })
const fromUnits = String.fromCharCode as (...units: any) => string

export class ByteReader {
  /** Of the next byte. */
  at = 0
  /** Behind the tokens. */
  end = 0
  from = 0
  flags = 0
  /** Whether the bytes came by a link. */
  #linked = false
  view: DataView
  #bytes: Uint8Array
  /** Its own copies. */
  #own: Uint8Array<ArrayBuffer>
  #ownView: DataView<ArrayBuffer>
  #units: Uint16Array<ArrayBuffer>
  #room: number
  #nextPool = 0
  #poolsEnd = 0
  #pool = ''
  #poolAt = 0
  /** Bytes of the arena as a text, a character each, whose short parts cost a quarter of texts of their own. */
  #whole = ''
  #wholeStart = 0
  #wholeEnd = 0
  /** Short texts since the last one of those. */
  #fewTexts = 0

  constructor() {
    this.#bytes = this.#own = new Uint8Array(FIRST_BYTES)
    this.#units = new Uint16Array(this.#own.buffer)
    this.view = this.#ownView = new DataView(this.#own.buffer)
    this.#room = FIRST_BYTES
  }

  /** Reads what is in the arena between two addresses. */
  beginInArena(start: number, end: number, from: number): void {
    reach(end)
    this.#bytes = u8
    this.#linked = true
    this.view = arenaView()
    this.at = start
    this.end = end
    this.from = from
    this.flags = 0
  }

  /** Reads `source` from a private copy: bytes that another thread overwrites by mistake could make a runtime crash. */
  begin(source: Uint8Array, start: number, length: number): void {
    if (start + length > source.length) throw this.damaged('it goes on beyond the end')
    if (length > this.#room) this.#take(Math.max(FIRST_BYTES, length + (length & 1)))
    this.#bytes = this.#own
    this.#linked = false
    this.view = this.#ownView
    if (length < NATIVE_BYTES) for (let i = 0; i < length; i++) this.#own[i] = source[start + i]!
    else this.#own.set(source.subarray(start, start + length))
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
    this.#pool = this.#whole = ''
    this.#wholeEnd = this.#fewTexts = 0
    if (this.#room > KEPT_BYTES) this.#take(FIRST_BYTES)
    this.#bytes = this.#own
    this.view = this.#ownView
  }

  #take(bytes: number): void {
    this.#own = new Uint8Array(bytes)
    this.#units = new Uint16Array(this.#own.buffer)
    this.#ownView = new DataView(this.#own.buffer)
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

  /** The length of the fixed-length buffer that comes next, which isn't read by this; −1 where something else does. */
  wholeBuffer(): number {
    const { at } = this
    const length = this.byte() === Tag.buffer ? this.varint() : -1
    this.at = at
    return length
  }

  uint32(): number {
    this.#reach(4)
    const x = this.view.getUint32(this.at, true)
    this.at += 4
    return x
  }

  skip(bytes: number): void {
    this.#reach(bytes)
    this.at += bytes
  }

  /** How many units, of so many bytes, follow, after a gap. */
  run(each = 1): number {
    const length = this.varint()
    if (this.#linked) this.skip(this.byte())
    this.#reach(length * each)
    return length
  }

  /** Bytes that stay valid until the next value; in the arena, until this one has been decoded. */
  bytes(length: number): Uint8Array {
    this.#reach(length)
    const start = this.at
    this.at += length
    return this.#bytes.subarray(start, this.at)
  }

  /** A string that came by a link, with its tag. */
  string(): string {
    const tag = this.byte()
    if (tag >= Tag.smallString && tag < Tag.smallArray) return this.ascii(tag - Tag.smallString)
    return this.text(tag)
  }

  /** One of a tag without a length in it. */
  text(tag: number): string {
    const length = this.run(tag === Tag.utf16 ? 2 : 1)
    switch (tag) {
      case Tag.ascii:
        return this.ascii(length)
      case Tag.utf8:
        return decoder.decode(this.#copied(length))
      case Tag.latin1:
        return textOf(this.bytes(length))
      case Tag.utf16:
        return this.#utf16(length)
      default:
        throw this.damaged('a string is missing')
    }
  }

  /** So many bytes of ASCII. */
  ascii(length: number): string {
    const start = this.at
    const end = start + length
    if (end <= this.#wholeEnd && length < KEEPING_UNITS) {
      this.at = end
      return this.#whole.substring(start - this.#wholeStart, end - this.#wholeStart)
    }
    this.#reach(length)
    if (latin1 === undefined) return length > INLINE_UNITS ? decoder.decode(this.#copied(length)) : this.#short(length)
    if (length >= KEEPING_UNITS) {
      this.at = end
      return latin1(this.#bytes, start, end)
    }
    if (++this.#fewTexts > FEW_TEXTS) {
      this.#fewTexts = 0
      this.#wholeStart = start
      this.#wholeEnd = Math.min(this.end, start + WHOLE_BYTES)
      this.#whole = latin1(this.#bytes, start, this.#wholeEnd)
    }
    return this.#short(length)
  }

  #short(length: number): string {
    const start = this.at
    this.at = start + length
    return shortText(this.#bytes, start, length)
  }

  #utf16(length: number): string {
    const bytes = this.#copied(length * 2)
    if (length >= NATIVE_UNITS) {
      try {
        return wideDecoder.decode(bytes)
      } catch {
        // It isn't well-formed.
      }
    }
    return textOf(new Uint16Array(bytes.buffer, 0, length))
  }

  /** Private: runtimes may refuse to decode what is shared. */
  #copied(length: number): Uint8Array<ArrayBuffer> {
    const bytes = this.bytes(length)
    if (length > this.#room) this.#take(length * 2)
    const own = this.#own
    if (length < NATIVE_BYTES) for (let i = 0; i < length; i++) own[i] = bytes[i]!
    else own.set(bytes)
    return own.subarray(0, length)
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
