/**
 * Bytes that grow, with the pools of their short strings (`codec-format.ts`).
 *
 * They are the writer's own, or begin in the arena: then they move to its own where they don't fit, or where somebody
 * else needs the place (`leaveArena`), and aren't to be more than `most`. Addresses of the arena that a caller holds are
 * wrong after that, so `mark` counts from the beginning. The arena may grow meanwhile: an older view of it stays valid.
 */
import { POOL_UNITS, PoolKind, SMALL_STRINGS, Tag } from './codec-format.js'
import type { KeyList } from './codec-keys.js'
import { arenaView } from './codec-views.js'
import { u8 } from './memory.js'

const FIRST_BYTES = 4096
/** What a single value made larger is not kept. */
const KEPT_BYTES = 1 << 18
/** Shorter strings are copied faster unit by unit. */
const NATIVE_UNITS = 24
const GREATEST_VARINT = 8
/** What is asked for may be more than what is written then; that much isn't counted against `most`. */
const SLACK = 32

const encoder = new TextEncoder()
const { isWellFormed } = String.prototype as { isWellFormed?(this: string): boolean }

/** Where a writer was, to go back to. */
interface Place {
  readonly at: number
  readonly pool: string
  readonly pools: number
}

/** Ends an encoding that takes more bytes than it may. */
class GivenUp extends Error {}
const givenUp = new GivenUp('A value takes more bytes than it may.')

export class ByteWriter {
  /** Where the next byte goes. */
  at = 0
  view: DataView
  /** Whether it took more than it may. What was thrown then may have been caught by a marshaler. */
  exceeded = false
  #bytes: Uint8Array
  /** Where `#bytes` end. */
  #room: number
  /** Where they begin; 0 but in the arena. */
  #start = 0
  #inArena = false
  /** Whether the bytes are for a link. */
  #linked = false
  /** The most that there may be. */
  #most = Infinity
  #own: Uint8Array<ArrayBuffer>
  #ownView: DataView<ArrayBuffer>
  #pool = ''
  readonly #pools: string[] = []

  constructor() {
    this.#bytes = this.#own = new Uint8Array(FIRST_BYTES)
    this.#room = FIRST_BYTES
    this.view = this.#ownView = new DataView(this.#own.buffer)
  }

  /** Starts anew, behind `at` bytes. */
  begin(at: number): void {
    this.at = at
    this.#linked = false
    this.#most = Infinity
    this.#pool = ''
    this.#pools.length = 0
  }

  /** Starts anew in the arena, where the bytes from `start` to `end` are free. */
  beginInArena(start: number, end: number, most: number): void {
    this.at = this.#start = start
    this.#room = end
    this.#bytes = u8
    this.view = arenaView()
    this.#inArena = this.#linked = true
    this.#most = most
    this.exceeded = false
  }

  /** Whether its bytes begin there, in the arena. */
  beginsAt(start: number): boolean {
    return this.#inArena && this.#start === start
  }

  /** Whether they are in the arena still. */
  get inArena(): boolean {
    return this.#inArena
  }

  /** What was written in the arena is copied, and the place there is free. */
  leaveArena(room = 0): void {
    const written = this.at - this.#start
    if (written + room > this.#own.length) this.#renew(Math.max(this.#own.length * 2, written + room))
    this.#own.set(this.#bytes.subarray(this.#start, this.at))
    this.#takeOwn(written)
  }

  #takeOwn(at: number): void {
    this.at = at
    this.#start = 0
    this.#inArena = false
    this.#bytes = this.#own
    this.#room = this.#own.length
    this.view = this.#ownView
  }

  #renew(bytes: number): void {
    this.#own = new Uint8Array(bytes)
    this.#ownView = new DataView(this.#own.buffer)
  }

  /** All bytes, which are the writer's own by now. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#own.subarray(0, this.at)
  }

  /** Lets go of the arena, and of what a large value left. */
  end(): void {
    if (this.#own.length > KEPT_BYTES) this.#renew(FIRST_BYTES)
    if (this.#bytes !== this.#own) this.#takeOwn(0)
  }

  mark(): Place {
    return { at: this.at - this.#start, pool: this.#pool, pools: this.#pools.length }
  }

  reset({ at, pool, pools }: Place): void {
    this.at = this.#start + at
    this.#pool = pool
    this.#pools.length = pools
  }

  #ensure(bytes: number): void {
    if (this.at + bytes > this.#room) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    if (this.at - this.#start + bytes > this.#most + SLACK) {
      this.exceeded = true
      throw givenUp
    }
    if (this.#inArena) {
      this.leaveArena(bytes)
      return
    }
    const old = this.#own
    this.#renew(Math.max(this.#room * 2, this.at + bytes))
    this.#own.set(old)
    this.#takeOwn(this.at)
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

  /** What stands before any number of bytes: how many. For a link, a gap too. */
  run(length: number): void {
    this.#ensure(2 * GREATEST_VARINT + length)
    this.varint(length)
    if (this.#linked) this.#gap()
  }

  /** Engines copy what is shared by words where both sides are aligned, and else, much slower, by bytes. There is room. */
  #gap(): void {
    const gap = -(this.at + 1) & 7
    const bytes = this.#bytes
    bytes[this.at] = gap
    for (let i = 1; i <= gap; i++) bytes[this.at + i] = 0
    this.at += 1 + gap
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

  uint32(x: number): void {
    this.#ensure(4)
    this.view.setUint32(this.at, x, true)
    this.at += 4
  }

  /** A string with its token, in no pool. */
  string(x: string): void {
    const { length } = x
    if (length >= SMALL_STRINGS) {
      this.#inlined(x)
      return
    }
    this.#ensure(length + 1)
    const bytes = this.#bytes
    let at = this.at
    bytes[at++] = Tag.smallString + length
    for (let i = 0; i < length; i++) {
      const unit = x.charCodeAt(i)
      if (unit > 0x7f) {
        this.#inlined(x)
        return
      }
      bytes[at++] = unit
    }
    this.at = at
  }

  /** One that is long, or no ASCII. */
  #inlined(x: string): void {
    const { length } = x
    this.#ensure(1 + 2 * GREATEST_VARINT + length)
    const tag = this.at
    this.byte(Tag.ascii)
    this.run(length)
    const { at } = this
    if (length >= NATIVE_UNITS) {
      const { read, written } = encoder.encodeInto(x, this.#bytes.subarray(at, at + length))
      if (read === length && written === length) {
        this.at += length
        return
      }
      // Where most of it is ASCII, most of it went in; others are decoded faster by units of two bytes.
      if (read * 2 > length && isWellFormed?.call(x)) {
        this.at = tag
        this.#utf8(x)
        return
      }
    }
    const start = tag - this.#start
    const kind = this.#narrow(x, false)
    this.#bytes[this.#start + start] = Tag.ascii + kind
  }

  #utf8(x: string): void {
    let most = x.length * 3
    // What may be too much is counted.
    if (this.at + 1 + 2 * GREATEST_VARINT + most > this.#room) most = utf8Length(x)
    this.#ensure(1 + 2 * GREATEST_VARINT + most)
    this.byte(Tag.utf8)
    const { at } = this
    this.run(most)
    const { written } = encoder.encodeInto(x, this.#bytes.subarray(this.at, this.at + most))
    this.#length(at, written, most)
    this.at += written
  }

  /** Corrects a length that was written as `most`, in as many bytes. */
  #length(at: number, length: number, most: number): void {
    for (; most > 0x7f; most = Math.floor(most / 0x80)) {
      this.#bytes[at++] = (length & 0x7f) | 0x80
      length = Math.floor(length / 0x80)
    }
    this.#bytes[at] = length
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
    return this.#narrow(x, true)
  }

  /** There is room for `length` bytes. */
  #narrow(x: string, aligned: boolean): number {
    const { length } = x
    const bytes = this.#bytes
    const start = this.at
    let all = 0
    for (let i = 0; i < length; i++) {
      const unit = x.charCodeAt(i)
      if (unit > 0xff) return this.#wide(x, aligned)
      all |= unit
      bytes[start + i] = unit
    }
    this.at = start + length
    return all < 0x80 ? PoolKind.ascii : PoolKind.latin1
  }

  #wide(x: string, aligned: boolean): number {
    const { length } = x
    if (aligned && this.at & 1) this.byte(0)
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

/** Of a text that is well-formed. */
function utf8Length(x: string): number {
  let bytes = x.length
  for (let i = 0; i < x.length; i++) {
    const unit = x.charCodeAt(i)
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1
  }
  return bytes
}
