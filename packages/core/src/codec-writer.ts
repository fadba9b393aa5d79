/** Bytes that grow, with the pools of their short strings (`codec-format.ts`). */
import { POOL_UNITS, PoolKind, Tag } from './codec-format.js'
import type { KeyList } from './codec-keys.js'

const FIRST_BYTES = 4096
/** What a single value made larger is not kept. */
const KEPT_BYTES = 1 << 18
/** Shorter strings are copied faster unit by unit. */
const NATIVE_UNITS = 24
const GREATEST_VARINT = 8

const encoder = new TextEncoder()

/** Where a writer was, to go back to. */
interface Place {
  readonly at: number
  readonly pool: string
  readonly pools: number
}

export class ByteWriter {
  /** Where the next byte goes. */
  at = 0
  view: DataView<ArrayBuffer>
  #bytes: Uint8Array<ArrayBuffer>
  #room: number
  #pool = ''
  readonly #pools: string[] = []

  constructor() {
    this.#bytes = new Uint8Array(FIRST_BYTES)
    this.#room = FIRST_BYTES
    this.view = new DataView(this.#bytes.buffer)
  }

  /** Starts anew, behind `at` bytes. */
  begin(at: number): void {
    if (this.#room > KEPT_BYTES) this.#take(new Uint8Array(FIRST_BYTES))
    this.at = at
    this.#pool = ''
    this.#pools.length = 0
  }

  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.at)
  }

  mark(): Place {
    return { at: this.at, pool: this.#pool, pools: this.#pools.length }
  }

  reset({ at, pool, pools }: Place): void {
    this.at = at
    this.#pool = pool
    this.#pools.length = pools
  }

  #take(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#room = bytes.length
    this.view = new DataView(bytes.buffer)
  }

  #ensure(bytes: number): void {
    if (this.at + bytes > this.#room) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(this.#room * 2, this.at + bytes))
    grown.set(this.#bytes)
    this.#take(grown)
  }

  byte(x: number): void {
    this.#ensure(1)
    this.#bytes[this.at++] = x
  }

  /** An integer from 0 to 2⁵³ − 1. */
  varint(x: number): void {
    this.#ensure(GREATEST_VARINT)
    while (x > 0x7f) {
      this.#bytes[this.at++] = (x & 0x7f) | 0x80
      x = x > 0x7fffffff ? Math.floor(x / 0x80) : x >>> 7
    }
    this.#bytes[this.at++] = x
  }

  double(x: number): void {
    this.#ensure(8)
    this.view.setFloat64(this.at, x, true)
    this.at += 8
  }

  bigint64(x: bigint): void {
    this.#ensure(8)
    this.view.setBigInt64(this.at, x, true)
    this.at += 8
  }

  bytes(x: Uint8Array): void {
    this.#ensure(x.length)
    this.#bytes.set(x, this.at)
    this.at += x.length
  }

  /** A string that its pool keeps; its token has been written. */
  pooled(x: string): void {
    if (this.#pool.length + x.length > POOL_UNITS) {
      this.#pools.push(this.#pool)
      this.#pool = x
    } else this.#pool += x
  }

  keyList({ hash, lengths, joined }: KeyList): void {
    const { length } = lengths
    this.#ensure(4 + length)
    this.view.setUint32(this.at, hash, true)
    this.at += 4
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) bytes[this.at + i] = lengths[i]!
    this.at += length
    this.pooled(joined)
  }

  /** A string that lies by itself, with its token. */
  longString(x: string): void {
    const tag = this.at
    this.byte(Tag.ascii)
    this.varint(x.length)
    const kind = this.#units(x)
    this.#bytes[tag] = Tag.ascii + kind
  }

  /** Writes the pools. */
  finish(): void {
    if (this.#pool !== '') this.#pools.push(this.#pool)
    for (const pool of this.#pools) {
      const start = this.at
      this.byte(PoolKind.ascii)
      this.varint(pool.length)
      const kind = this.#units(pool)
      this.#bytes[start] = kind
    }
  }

  /** The units of a string, as narrow as they may be; says how it wrote them. */
  #units(x: string): number {
    const { length } = x
    this.#ensure(length)
    if (length >= NATIVE_UNITS && beginsAsAscii(x)) {
      // There is room for `length` bytes, which is enough for nothing but ASCII.
      const { read, written } = encoder.encodeInto(x, this.#bytes.subarray(this.at, this.at + length))
      if (read === length && written === length) {
        this.at += length
        return PoolKind.ascii
      }
    }
    return this.#narrow(x)
  }

  #narrow(x: string): number {
    const { length } = x
    const bytes = this.#bytes
    const start = this.at
    let all = 0
    for (let i = 0; i < length; i++) {
      const unit = x.charCodeAt(i)
      if (unit > 0xff) return this.#wide(x)
      all |= unit
      bytes[start + i] = unit
    }
    this.at = start + length
    return all < 0x80 ? PoolKind.ascii : PoolKind.latin1
  }

  #wide(x: string): number {
    const { length } = x
    if (this.at & 1) this.byte(0)
    this.#ensure(length * 2)
    const bytes = this.#bytes
    let at = this.at
    for (let i = 0; i < length; i++) {
      const unit = x.charCodeAt(i)
      bytes[at++] = unit & 0xff
      bytes[at++] = unit >> 8
    }
    this.at = at
    return PoolKind.utf16
  }
}

/** A look at the beginning saves most other texts the try. */
function beginsAsAscii(x: string): boolean {
  for (let i = 0; i < 8; i++) if (x.charCodeAt(i) > 0x7f) return false
  return true
}
