/** Values to bytes; the format is in `codec-format.ts`. */
import { encodeBuffer, encodeBuiltIn, type Tokens } from './codec-built-ins.js'
import {
  HEADER_BYTES,
  Head,
  MARK,
  POOLED_UNITS,
  SMALL_ARRAYS,
  SMALL_INTEGERS,
  SMALL_STRINGS,
  TABLE_FLAG,
  Tag,
  VERSION,
} from './codec-format.js'
import { KeyWriter } from './codec-key-writer.js'
import { type KeyList, keepMet, keyListOf } from './codec-keys.js'
import { cloneKindOf } from './codec-kinds.js'
import { Numbers } from './codec-numbers.js'
import { Refused } from './codec-refused.js'
import type { SentShapes } from './codec-shapes.js'
import { ByteWriter } from './codec-writer.js'
import { NotMarshalableError } from './errors.js'
import { type MarshalContext, type Marshaler, marshalerOf } from './marshaler.js'
import { functionLabel } from './refusal.js'
import { ownThreadId, type ThreadId } from './threads.js'
import { transferListOf } from './transfer.js'

/** How to encode. */
export interface EncodeOptions {
  /** The thread that the value is for, where it is known. */
  to?: ThreadId | undefined
  /** The bytes may be decoded many times, on any thread. */
  table?: boolean
  /** Refuses references, and instances of classes, which would come back without their class. */
  plain?: boolean
}

/** How to encode for a link. */
export interface LinkEncodeOptions {
  /** The thread that the value is for, where it is known. */
  readonly to?: ThreadId | undefined
  /** Marshalers get this very list; what one puts there is refused. */
  readonly transferList?: any[]
  /** The value is an array of the caller's own making, with elements alone: no holes, and nothing that marks it. */
  readonly list?: boolean
  /**
   * Gives a value up, without a word of why, that has references, instances of classes or bytes in it: for who has
   * another way for those.
   */
  readonly bare?: boolean
  readonly shapes: SentShapes
}

const MOVED = 'something that moves instead of being copied'
const INT64_END = 1n << 63n

/** A reference whose marshaler has done its part. */
interface Marshaled {
  readonly marshaler: Marshaler
  readonly body: unknown
}

/** Encodes one value at a time. */
export class Encoder implements MarshalContext, Tokens {
  transferList: any[] = []
  to: ThreadId | undefined
  table = false
  #plain = false
  #bare = false
  readonly out = new ByteWriter()
  /** Everything with identity. */
  readonly #objects = new Numbers()
  readonly #keys = new KeyWriter(this.out)
  /** Whether the value is for a link. */
  #linked = false
  /** What a marshaler would go on without, though the link's port may be able to carry it. */
  #withheld: Refused | undefined
  /** The list that the next object may have; after an object, the one that it had. */
  #guess: KeyList | undefined
  readonly #marshaled: Marshaled[] = []
  /** What is between `reference` and the end of its body. */
  readonly #packing: unknown[] = []
  readonly #ownTransfers: any[] = []

  /** The bytes; they are the encoder's own and change with its next value. */
  encode(x: unknown, { to, table = false, plain = false }: EncodeOptions): Uint8Array<ArrayBuffer> {
    const out = this.out
    this.to = to
    this.table = table
    this.#plain = plain
    this.#bare = false
    this.transferList = this.#ownTransfers
    this.#keys.begin(undefined)
    this.#linked = false
    this.#guess = undefined
    out.begin(HEADER_BYTES)
    try {
      this.value(x)
      const tokensEnd = out.at
      out.finish()
      const head = out.view
      head.setUint8(Head.mark, MARK)
      head.setUint8(Head.version, VERSION)
      head.setUint16(Head.flags, table ? TABLE_FLAG : 0, true)
      head.setUint32(Head.bytes, out.at, true)
      head.setUint32(Head.from, ownThreadId(), true)
      head.setUint32(Head.tokensEnd, tokensEnd, true)
      return out.written()
    } catch (error) {
      this.#release(0)
      throw told(error, x)
    } finally {
      this.#clear()
    }
  }

  /** As `encodeInto`. */
  encodeForLink(
    x: unknown,
    start: number,
    end: number,
    most: number,
    { to, transferList = this.#ownTransfers, list, bare = false, shapes }: LinkEncodeOptions,
  ): number | Uint8Array<ArrayBuffer> | undefined {
    const out = this.out
    this.to = to
    this.table = false
    this.#plain = this.#bare = bare
    this.transferList = transferList
    this.#keys.begin(shapes)
    this.#linked = true
    this.#guess = shapes.guess
    out.beginInArena(start, end, most)
    try {
      if (list) {
        this.#objects.add(x)
        this.#elements(x as unknown[])
      } else this.value(x)
      if (this.#withheld) throw this.#withheld
      if (out.exceeded || (!out.inArena && out.at > most)) {
        this.#takeBack()
        return undefined
      }
      this.#keys.confirm()
      shapes.guess = this.#guess
      shapes.hadReferences = this.#marshaled.length > 0
      return out.inArena ? out.at : out.written().slice()
    } catch (error) {
      this.#takeBack()
      if (out.exceeded || (error instanceof Refused && (bare || error.message === MOVED))) return undefined
      throw told(error, x)
    } finally {
      this.#clear()
    }
  }

  /** Of what is encoded for a link nothing will be sent. */
  #takeBack(): void {
    this.#keys.takeBack(0)
    this.#release(0)
  }

  #clear(): void {
    this.out.end()
    this.#objects.clear()
    this.#withheld = undefined
    this.#keys.end()
    if (this.#marshaled.length > 0) this.#marshaled.length = 0
    if (this.#packing.length > 0) this.#packing.length = 0
    if (this.#ownTransfers.length > 0) this.#ownTransfers.length = 0
    this.to = undefined
  }

  /** The marshalers' way in: what they pack is encoded at once, and their bodies refer to it. */
  pack(x: unknown): unknown {
    if (x === null || (typeof x !== 'object' && typeof x !== 'function' && typeof x !== 'symbol')) return x
    const known = this.#objects.of(x)
    if (known >= 0) {
      if (!this.#packing.includes(x)) return x
      if (x instanceof Error) return undefined // it is its own cause
      throw new Refused('an object whose packed form contains the object itself', x)
    }
    const out = this.out
    const place = out.mark()
    const objects = this.#objects.count
    const keyLists = this.#keys.count
    const marshaled = this.#marshaled.length
    const packing = this.#packing.length
    try {
      out.byte(Tag.packed)
      this.value(x)
      return x
    } catch (error) {
      // Some marshalers go on without it.
      if (error instanceof Refused) {
        error.locate(x)
        if (this.#linked) this.#withheld ??= error
      }
      this.#release(marshaled)
      this.#packing.length = packing
      this.#keys.takeBack(keyLists)
      this.#objects.cut(objects)
      out.reset(place)
      throw error
    }
  }

  /** Lets go of what will not be sent. */
  #release(from: number): void {
    for (const { marshaler, body } of this.#marshaled.splice(from)) marshaler.release?.(body)
  }

  value(x: unknown): void {
    const out = this.out
    // In the order in which they are frequent, and not a `switch`, which costs a tenth of all encoding.
    if (typeof x === 'string') this.string(x)
    else if (typeof x === 'number') this.#numeric(x)
    else if (typeof x === 'object') {
      if (x === null) out.byte(Tag.null)
      else this.#object(x)
    } else if (typeof x === 'boolean') out.byte(x ? Tag.true : Tag.false)
    else if (x === undefined) out.byte(Tag.undefined)
    else if (typeof x === 'bigint') this.#bigint(x)
    else if (typeof x === 'function') this.#function(x)
    else throw new Refused('a symbol', x)
  }

  #numeric(x: number): void {
    const out = this.out
    if ((x | 0) !== x || (x === 0 && 1 / x < 0)) {
      out.byte(Tag.double)
      out.double(x)
    } else if (x >= 0 && x < SMALL_INTEGERS) out.byte(Tag.smallInteger + x)
    else {
      out.byte(Tag.integer)
      out.varint(((x << 1) ^ (x >> 31)) >>> 0)
    }
  }

  string(x: string): void {
    const out = this.out
    if (this.#linked) {
      out.string(x)
      return
    }
    const { length } = x
    if (length < SMALL_STRINGS) out.byte(Tag.smallString + length)
    else if (length <= POOLED_UNITS) {
      out.byte(Tag.pooled)
      out.varint(length)
    } else {
      out.longString(x)
      return
    }
    out.pooled(x)
  }

  #bigint(x: bigint): void {
    const out = this.out
    if (x >= -INT64_END && x < INT64_END) {
      out.byte(Tag.bigint64)
      out.bigint64(x)
    } else {
      out.byte(x < 0n ? Tag.bigintBelow : Tag.bigintAbove)
      this.string((x < 0n ? -x : x).toString(16))
    }
  }

  #again(x: unknown, number: number): void {
    // What contains itself by way of a reference's body comes without that.
    if (this.#packing.includes(x)) this.out.byte(Tag.undefined)
    else {
      this.out.byte(Tag.again)
      this.out.varint(number)
    }
  }

  #function(x: Function): void {
    const number = this.#objects.add(x)
    if (number >= 0) {
      this.#again(x, number)
      return
    }
    if (this.#linked && transferListOf(x)) throw new Refused(MOVED, x)
    const marshaler = marshalerOf(x)
    if (!marshaler || this.#plain) throw new Refused(functionLabel(x), x)
    this.#reference(x, marshaler)
  }

  #object(x: object): void {
    const number = this.#objects.add(x)
    if (number >= 0) {
      this.#again(x, number)
      return
    }
    if (this.#linked && transferListOf(x)) throw new Refused(MOVED, x)
    const marshaler = marshalerOf(x)
    if (marshaler) {
      if (this.#plain) throw new Refused(instanceLabel(x) + (marshaler.model ? ', a reference' : ''), x)
      this.#reference(x, marshaler)
      return
    }
    if (Array.isArray(x)) {
      this.#array(x)
      return
    }
    const prototype: unknown = Object.getPrototypeOf(x)
    if (prototype === Object.prototype || (prototype === null && !(this.#linked && isBareError(x)))) {
      this.plain(x as Record<string, unknown>)
    } else if (this.#plain && cloneKindOf(x) === 'plain') throw new Refused(instanceLabel(x), x)
    else if (this.#bare && (ArrayBuffer.isView(x) || x instanceof ArrayBuffer)) throw new Refused('bytes', x)
    else encodeBuiltIn(x, this)
  }

  plain(x: Record<string, unknown>): void {
    const guess = this.#guess
    if (guess !== undefined && !inheritsKeys() && hasKeys(x, guess.keys)) {
      if (!guess.kept) keepMet(guess)
      this.#keys.write(guess)
      this.#members(x, guess)
      return
    }
    const out = this.out
    const keys = Object.keys(x)
    const count = keys.length
    if (count === 0) {
      out.byte(Tag.smallObject)
      return
    }
    const list = keyListOf(keys)
    if (list) {
      this.#keys.write(list)
      this.#members(x, list)
      return
    }
    out.byte(Tag.longObject)
    out.varint(count)
    for (let i = 0; i < count; i++) this.string(keys[i]!)
    for (let i = 0; i < count; i++) this.#member(x, keys[i]!)
  }

  #members(x: Record<string, unknown>, list: KeyList): void {
    const { keys, below } = list
    const count = keys.length
    let i = 0
    // Quicker than by `keys`: engines keep where the members of such objects are. It finds no more than those.
    for (const key in x) {
      // A getter of an earlier member may have deleted or added some.
      if (i === count || keys[i] !== key) break
      const value = x[key]
      if (typeof value === 'object' && value !== null) {
        this.#guess = below[i]
        this.#object(value)
        const had = this.#guess
        if (had !== below[i] && had?.kept && list.kept) below[i] = had
      } else this.value(value)
      i++
    }
    for (; i < count; i++) this.#member(x, keys[i]!)
    this.#guess = list
  }

  #member(x: Record<string, unknown>, key: string): void {
    const value = x[key]
    // A getter of an earlier member may have deleted this one.
    if (value === undefined && !Object.hasOwn(x, key)) this.out.byte(Tag.hole)
    else this.value(value)
  }

  #array(x: unknown[]): void {
    const out = this.out
    const { length } = x
    const keys = Object.keys(x)
    const count = keys.length
    // Indices come first, in order: if the last key is one, all are.
    const indexed = count === 0 || isIndex(keys[count - 1]!)
    if (!indexed || (length > SMALL_ARRAYS && count < length / 2)) {
      out.byte(Tag.keyedArray)
      out.varint(length)
      out.varint(count)
      for (const key of keys) {
        this.string(key)
        this.#member(x as never, key)
      }
      return
    }
    this.#elements(x)
  }

  #elements(x: unknown[]): void {
    const out = this.out
    const { length } = x
    if (length < SMALL_ARRAYS) out.byte(Tag.smallArray + length)
    else {
      out.byte(Tag.array)
      out.varint(length)
    }
    for (let i = 0; i < length; i++) {
      const value = x[i]
      if (value === undefined && !Object.hasOwn(x, i)) out.byte(Tag.hole)
      else this.value(value)
    }
  }

  buffer(x: ArrayBuffer, bytes?: Uint8Array): void {
    const number = this.#objects.add(x)
    if (number >= 0) this.#again(x, number)
    else encodeBuffer(x, this, bytes)
  }

  #reference(x: object, marshaler: Marshaler): void {
    const out = this.out
    this.#packing.push(x)
    out.byte(Tag.reference)
    this.string(marshaler.kind)
    let body: unknown
    try {
      body = marshaler.marshal(x, this)
    } catch (error) {
      // What stands inside of the reference stands where that stands.
      if (error instanceof Refused) error.culprit = x
      else if (error instanceof NotMarshalableError) throw new Refused('a reference', x, error)
      throw error
    }
    this.#marshaled.push({ marshaler, body })
    if (this.transferList.length > 0) {
      this.transferList.length = 0
      throw new Refused(`a reference of kind "${marshaler.kind}", which needs a message port of its own`, x)
    }
    out.byte(Tag.body)
    this.value(body)
    this.#packing.pop()
  }
}

function instanceLabel(x: object): string {
  const Class: unknown = (x as { constructor?: unknown }).constructor
  return `an instance of ${(typeof Class === 'function' && Class.name) || 'a class'}`
}

function isIndex(key: string): boolean {
  const number = Number(key)
  return number >= 0 && number < 0xffffffff && String(number >>> 0) === key
}

/** Structured clone knows an error by its slot. */
function isBareError(x: object): boolean {
  return Object.prototype.toString.call(x) === '[object Error]'
}

const empty = {}

/** Whether plain objects have members that aren't their own, which `for in` finds. */
function inheritsKeys(): boolean {
  for (const _ in empty) return true
  return false
}

/** Whether those are the keys of `x`, in this order; false also where it can't be told quickly. */
function hasKeys(x: object, keys: readonly string[]): boolean {
  const count = keys.length
  let i = 0
  for (const key in x) if (i === count || keys[i++] !== key) return false
  return i === count
}

/** What programs are told in the place of what encoding `x` threw. */
function told(error: unknown, x: unknown): unknown {
  if (error instanceof Refused) {
    error.locate(x)
    return error.told()
  }
  if (error instanceof RangeError && /stack|recursion/i.test(error.message)) {
    return new NotMarshalableError("A value can't cross to another thread: it is nested too deeply.", { cause: error })
  }
  return error
}
