/** Bytes to values; the format is in `codec-format.ts`. */
import { TABLE_FLAG, Tag, viewClasses } from './codec-format.js'
import type { KeyList } from './codec-keys.js'
import { learnShapes, readShape } from './codec-learn.js'
import { type Maker, type Members, makerOf } from './codec-makers.js'
import { ByteReader } from './codec-reader.js'
import type { ReceivedShapes } from './codec-shapes.js'
import { FlatshareError, NotMarshalableError } from './errors.js'
import { marshalerFor } from './marshaler.js'
import { missingMarshaler } from './missing-marshaler.js'
import type { ThreadId } from './threads.js'

/** Arrays up to this length grow, which leaves them dense; greater ones are made at once. */
const GROWN_LENGTH = 64

/** Stands in the place of what is being decoded and can't be referred to yet. */
const PENDING = Symbol('being decoded')
const HOLE = Symbol('no element')
const END = Symbol('end')

/** How to decode what came by a link. */
export interface LinkDecodeOptions {
  /** The thread that encoded the value. */
  readonly from: ThreadId
  /** Refuses references, as damage: for what comes from others. */
  readonly bare?: boolean
  readonly shapes: ReceivedShapes
}

/** More objects of one value than this aren't kept room for. */
const MOST_KEPT = 1024

/** Decodes one value at a time. */
export class Decoder implements Members {
  readonly #in = new ByteReader()
  /** Everything with identity, by number. */
  #objects: unknown[] = []
  #count = 0
  readonly #keyLists: KeyList[] = []
  /** Of the link by which the value came; undefined for one that came by none. */
  #shapes: ReceivedShapes | undefined
  #bare = false
  /** Members that were missing, so far. */
  #holes = 0
  /** References whose unmarshaling has begun. */
  #begun = 0
  /** Of the references, all from this number on are let go instead. */
  #releaseFrom = Infinity

  /** The value. Where that fails, the references that came with it are let go, unless it may be decoded again. */
  decode(bytes: Uint8Array, start: number, length: number): unknown {
    try {
      return this.#run(bytes, start, length, Infinity)
    } catch (error) {
      const begun = this.#begun
      if (begun > 0 && !(this.#in.flags & TABLE_FLAG)) this.#releaseRest(bytes, start, length, begun)
      throw error
    }
  }

  /** Lets go of what a value that nobody decodes refers to. */
  release(bytes: Uint8Array, start: number, length: number): void {
    this.#run(bytes, start, length, 0)
  }

  /** As `decode`, for what a link carried. Where it fails, its shapes are learned all the same. */
  decodeForLink(start: number, end: number, options: LinkDecodeOptions): unknown {
    this.#shapes = options.shapes
    this.#bare = options.bare === true
    try {
      return this.#runInArena(start, end, options.from, Infinity)
    } catch (error) {
      const begun = this.#begun
      if (begun > 0) this.#tryToRelease(start, end, options.from, begun)
      learnShapes(this.#in, start, end, options.shapes)
      throw error
    } finally {
      this.#shapes = undefined
      this.#bare = false
    }
  }

  /** As `release`, for what a link carried. */
  releaseForLink(start: number, end: number, options: LinkDecodeOptions): void {
    this.#shapes = options.shapes
    try {
      this.#runInArena(start, end, options.from, 0)
    } catch (error) {
      learnShapes(this.#in, start, end, options.shapes)
      throw error
    } finally {
      this.#shapes = undefined
    }
  }

  #releaseRest(bytes: Uint8Array, start: number, length: number, from: number): void {
    try {
      this.#run(bytes, start, length, from)
    } catch {
      // The bytes are damaged; that is being thrown already.
    }
  }

  #tryToRelease(start: number, end: number, from: ThreadId, releaseFrom: number): void {
    try {
      this.#runInArena(start, end, from, releaseFrom)
    } catch {
      // What keeps the value from being decoded is being thrown already.
    }
  }

  #run(bytes: Uint8Array, start: number, length: number, releaseFrom: number): unknown {
    this.#releaseFrom = releaseFrom
    this.#begun = 0
    try {
      this.#in.begin(bytes, start, length)
      return this.#whole()
    } catch (error) {
      throw this.#told(error)
    } finally {
      this.#clear()
    }
  }

  #runInArena(start: number, end: number, from: ThreadId, releaseFrom: number): unknown {
    this.#releaseFrom = releaseFrom
    this.#begun = 0
    try {
      this.#in.beginInArena(start, end, from)
      return this.#whole()
    } catch (error) {
      throw this.#told(error)
    } finally {
      this.#clear()
    }
  }

  #whole(): unknown {
    const reader = this.#in
    const value = this.#element()
    if (typeof value === 'symbol') throw reader.damaged('there is no value')
    if (reader.at !== reader.end) throw reader.damaged('something follows the value')
    return value
  }

  #told(error: unknown): unknown {
    if (error instanceof FlatshareError) return error
    if (this.#shapes && error instanceof RangeError && /stack|recursion/i.test(error.message)) {
      return new NotMarshalableError(
        "A value that arrived can't be read on this thread: it is nested too deeply for its stack.",
        { cause: error },
      )
    }
    // Lengths, patterns and the like that the runtime refuses; and bytes nested so deeply that the stack ends.
    return this.#in.damaged(error instanceof Error ? error.message : String(error), error)
  }

  #clear(): void {
    this.#in.finish()
    const count = this.#count
    if (count > MOST_KEPT) this.#objects = []
    else for (let i = 0; i < count; i++) this.#objects[i] = undefined
    this.#count = 0
    if (this.#keyLists.length > 0) this.#keyLists.length = 0
  }

  #value(): unknown {
    const value = this.#element()
    if (typeof value === 'symbol') throw this.#in.damaged('a value is missing')
    return value
  }

  /** A value, a hole or the end of a collection. */
  #element(): unknown {
    const reader = this.#in
    const tag = reader.byte()
    if (tag >= Tag.smallObject) return this.#smallObject(tag - Tag.smallObject)
    if (tag >= Tag.smallArray) return this.#array(tag - Tag.smallArray)
    if (tag >= Tag.smallString) {
      const length = tag - Tag.smallString
      return this.#shapes === undefined ? reader.pooled(length) : reader.ascii(length)
    }
    if (tag >= Tag.smallInteger) return tag - Tag.smallInteger
    switch (tag) {
      case Tag.undefined:
        return undefined
      case Tag.null:
        return null
      case Tag.false:
        return false
      case Tag.true:
        return true
      case Tag.integer: {
        const zigzag = reader.varint()
        return (zigzag >>> 1) ^ -(zigzag & 1)
      }
      case Tag.double:
        return reader.double()
      case Tag.bigint64:
        return reader.bigint64()
      case Tag.bigintBelow:
        return -this.#bigint()
      case Tag.bigintAbove:
        return this.#bigint()
      case Tag.pooled:
        return reader.pooled(reader.varint())
      case Tag.ascii:
      case Tag.latin1:
      case Tag.utf16:
        return this.#shapes ? reader.text(tag) : reader.units(tag - Tag.ascii)
      case Tag.utf8:
        if (this.#shapes) return reader.text(tag)
        throw reader.damaged(`${tag} is no tag`)
      case Tag.again:
        return this.#again()
      case Tag.hole:
        return HOLE
      case Tag.end:
        return END
      case Tag.array:
        return this.#array(reader.count())
      case Tag.keyedArray:
        return this.#keyedArray()
      case Tag.object:
        if (this.#shapes) return this.#shaped(readShape(reader, this.#shapes))
        return this.#plain(reader.count())
      case Tag.longObject:
        return this.#longObject()
      case Tag.sameKeys:
        return this.#sameKeys()
      case Tag.map:
        return this.#map()
      case Tag.set:
        return this.#set()
      case Tag.date:
        return this.#number(new Date(reader.double()))
      case Tag.regexp:
        return this.#regexp()
      case Tag.boxedTrue:
      case Tag.boxedFalse:
        return this.#number(Object(tag === Tag.boxedTrue))
      case Tag.boxed:
        return this.#boxed()
      case Tag.buffer:
      case Tag.resizableBuffer:
        return this.#buffer(tag === Tag.resizableBuffer)
      case Tag.view:
        return this.#view()
      case Tag.reference:
        return this.#reference()
      default:
        throw reader.damaged(`${tag} is no tag`)
    }
  }

  #number<T extends object>(x: T): T {
    this.begin(x)
    return x
  }

  #reserve(): number {
    this.#objects[this.#count] = PENDING
    return this.#count++
  }

  #again(): unknown {
    const number = this.#in.varint()
    const found = number < this.#count ? this.#objects[number] : PENDING
    if (found === PENDING) throw this.#in.damaged('it refers to what has not come')
    return found
  }

  #string(): string {
    const x = this.#value()
    if (typeof x !== 'string') throw this.#in.damaged('a string is missing')
    return x
  }

  #bigint(): bigint {
    const digits = this.#string()
    if (!/^[0-9a-f]+$/.test(digits)) throw this.#in.damaged('a bigint has other digits')
    return BigInt(`0x${digits}`)
  }

  #smallObject(number: number): object {
    const shapes = this.#shapes
    if (number === 0 || shapes === undefined) return this.#plain(number)
    return this.#shaped(shapes.list(number - 1))
  }

  #plain(count: number): object {
    const list = count === 0 ? undefined : this.#in.keyList(count)
    const x = this.#number({} as Record<string, unknown>)
    if (!list) return x
    this.#keyLists.push(list)
    return this.#members(x, list)
  }

  #sameKeys(): object {
    const number = this.#in.varint()
    return this.#shaped(this.#shapes ? this.#shapes.list(number) : this.#keyLists[number])
  }

  #shaped(list: KeyList | undefined): object {
    if (!list) throw this.#in.damaged('it has the keys of what has not come')
    const make = makerOf(list)
    if (make) return this.#made(make, list)
    return this.#members(this.#number({} as Record<string, unknown>), list)
  }

  #members(x: Record<string, unknown>, { keys, hasProto }: KeyList): object {
    for (let i = 0; i < keys.length; i++) {
      const value = this.#element()
      if (hasProto || typeof value === 'symbol') this.#member(x, keys[i]!, value)
      else x[keys[i]!] = value
    }
    return x
  }

  #made(make: Maker, { keys }: KeyList): object {
    const holes = this.#holes
    const x = make(this) as Record<string, unknown>
    // Some are its own, or of those inside.
    if (this.#holes !== holes) for (const key of keys) if (x[key] === HOLE) delete x[key]
    return x
  }

  begin(x: object): void {
    this.#objects[this.#count++] = x
  }

  member(): unknown {
    const value = this.#element()
    if (typeof value !== 'symbol') return value
    if (value !== HOLE) this.#missing()
    this.#holes++
    return HOLE
  }

  #missing(): never {
    throw this.#in.damaged('a member is missing')
  }

  #longObject(): object {
    const count = this.#in.count(2)
    const x = this.#number({} as Record<string, unknown>)
    const keys: string[] = []
    for (let i = 0; i < count; i++) keys.push(this.#string())
    for (const key of keys) this.#member(x, key, this.#element())
    return x
  }

  #member(x: Record<string, unknown>, key: string, value: unknown): void {
    if (typeof value === 'symbol') {
      if (value !== HOLE) this.#missing()
    } else if (key === '__proto__') {
      // An own property of that name must not become the prototype.
      Object.defineProperty(x, key, { value, enumerable: true, writable: true, configurable: true })
    } else x[key] = value
  }

  #array(length: number): unknown[] {
    const grown = length <= GROWN_LENGTH
    const x = this.#number(grown ? [] : new Array<unknown>(length))
    for (let i = 0; i < length; i++) {
      const value = this.#element()
      if (typeof value === 'symbol') {
        if (value !== HOLE) throw this.#in.damaged('an element is missing')
        if (grown) x.length++
      } else if (grown) x.push(value)
      else x[i] = value
    }
    return x
  }

  #keyedArray(): unknown[] {
    const x = this.#number([] as unknown[])
    x.length = this.#in.varint()
    const count = this.#in.count(2)
    for (let i = 0; i < count; i++) this.#member(x as never, this.#string(), this.#element())
    return x
  }

  #map(): Map<unknown, unknown> {
    const x = this.#number(new Map<unknown, unknown>())
    for (;;) {
      const key = this.#element()
      if (key === END) return x
      if (key === HOLE) throw this.#in.damaged('a key is missing')
      x.set(key, this.#value())
    }
  }

  #set(): Set<unknown> {
    const x = this.#number(new Set<unknown>())
    for (;;) {
      const value = this.#element()
      if (value === END) return x
      if (value === HOLE) throw this.#in.damaged('a member is missing')
      x.add(value)
    }
  }

  #regexp(): RegExp {
    const number = this.#reserve()
    const source = this.#string()
    return (this.#objects[number] = new RegExp(source, this.#string()))
  }

  #boxed(): object {
    const number = this.#reserve()
    const value = this.#value()
    if (typeof value === 'object' || value === undefined) throw this.#in.damaged('a boxed value is none')
    return (this.#objects[number] = Object(value))
  }

  #buffer(resizable: boolean): ArrayBuffer {
    const reader = this.#in
    const maxByteLength = resizable ? this.#value() : undefined
    if (resizable && typeof maxByteLength !== 'number') throw reader.damaged('a length is missing')
    const bytes = reader.bytes(reader.run())
    if (maxByteLength === undefined) return this.#number(bytes.slice().buffer)
    const x = new ArrayBuffer(bytes.length, { maxByteLength: maxByteLength as number })
    new Uint8Array(x).set(bytes)
    return this.#number(x)
  }

  #view(): ArrayBufferView {
    const reader = this.#in
    const number = this.#reserve()
    const Class = viewClasses[reader.byte()]?.[1]
    if (!Class) throw reader.damaged('a view is of no kind')
    const offset = reader.varint()
    const length = reader.varint() - 1
    if (Class === Uint8Array && offset === 0 && length >= 0 && length === reader.wholeBuffer()) {
      reader.byte()
      const x = reader.bytes(reader.run()).slice()
      this.#objects[number] = x
      this.#number(x.buffer)
      return x
    }
    const buffer = this.#value()
    if (!(buffer instanceof ArrayBuffer)) throw reader.damaged('a view has no buffer')
    const x = length < 0 ? new Class(buffer, offset) : new Class(buffer, offset, length)
    return (this.#objects[number] = x)
  }

  #reference(): unknown {
    const reader = this.#in
    if (this.#bare) throw reader.damaged('a reference came where none can')
    const number = this.#reserve()
    const kind = this.#string()
    let tag = reader.byte()
    for (; tag === Tag.packed; tag = reader.byte()) this.#value()
    if (tag !== Tag.body) throw reader.damaged('a reference has no body')
    const body = this.#value()
    const marshaler = marshalerFor(kind)
    if (this.#begun++ >= this.#releaseFrom) {
      marshaler?.release?.(body)
      return (this.#objects[number] = {})
    }
    if (this.#releaseFrom !== Infinity) return (this.#objects[number] = {})
    if (!marshaler) throw missingMarshaler(kind)
    try {
      return (this.#objects[number] = marshaler.unmarshal(body, { from: reader.from }))
    } catch (error) {
      if (error instanceof FlatshareError) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new FlatshareError(`A reference of kind "${kind}" couldn't be unmarshaled: ${why}`, { cause: error })
    }
  }
}
