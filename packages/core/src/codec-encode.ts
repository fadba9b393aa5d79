/** Values to bytes; the format is in `codec-format.ts`. */
import { encodeBuiltIn, type Tokens } from './codec-built-ins.js'
import {
  HEADER_BYTES,
  Head,
  MARK,
  POOLED_UNITS,
  SMALL_ARRAYS,
  SMALL_INTEGERS,
  SMALL_OBJECTS,
  SMALL_STRINGS,
  TABLE_FLAG,
  Tag,
  VERSION,
} from './codec-format.js'
import { type KeyList, keyListOf } from './codec-keys.js'
import { cloneKindOf } from './codec-kinds.js'
import { Refused } from './codec-refused.js'
import { ByteWriter } from './codec-writer.js'
import { NotMarshalableError } from './errors.js'
import { type MarshalContext, type Marshaler, marshalerOf } from './marshaler.js'
import { functionLabel } from './refusal.js'
import { ownThreadId, type ThreadId } from './threads.js'

/** How to encode. */
export interface EncodeOptions {
  /** The thread that the value is for, where it is known. */
  to?: ThreadId | undefined
  /** The bytes may be decoded many times, on any thread. */
  table?: boolean
  /** Refuses references, and instances of classes, which would come back without their class. */
  plain?: boolean
}

/** Up to so many objects are searched one by one, which is faster than a map. */
const FEW = 16
const INT64_END = 1n << 63n

/** A reference whose marshaler has done its part. */
interface Marshaled {
  readonly marshaler: Marshaler
  readonly body: unknown
}

let lastStamp = 0

/** Encodes one value at a time. */
export class Encoder implements MarshalContext, Tokens {
  transferList: any[] = []
  to: ThreadId | undefined
  table = false
  #plain = false
  readonly out = new ByteWriter()
  /** Everything with identity, by number. */
  #objects: unknown[] = []
  /** The numbers, once there are many. */
  #numbers: Map<unknown, number> | undefined
  #keyLists: KeyList[] = []
  /** This encoding's own, for the key lists that it met. */
  #stamp = 0
  #marshaled: Marshaled[] = []
  /** What is between `reference` and the end of its body. */
  #packing: unknown[] = []

  /** The bytes; they are the encoder's own and change with its next value. */
  encode(x: unknown, { to, table = false, plain = false }: EncodeOptions): Uint8Array<ArrayBuffer> {
    const out = this.out
    this.to = to
    this.table = table
    this.#plain = plain
    this.#stamp = ++lastStamp
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
      if (error instanceof Refused) {
        error.locate(x)
        throw error.told()
      }
      if (error instanceof RangeError && /stack|recursion/i.test(error.message)) {
        throw new NotMarshalableError("A value can't cross to another thread: it is nested too deeply.", {
          cause: error,
        })
      }
      throw error
    } finally {
      this.#objects = []
      this.#numbers = undefined
      this.#keyLists = []
      this.#marshaled = []
      this.#packing = []
      this.transferList = []
      this.to = undefined
    }
  }

  /** The marshalers' way in: what they pack is encoded at once, and their bodies refer to it. */
  pack(x: unknown): unknown {
    if (x === null || (typeof x !== 'object' && typeof x !== 'function' && typeof x !== 'symbol')) return x
    const known = this.#numberOf(x)
    if (known >= 0) {
      if (!this.#packing.includes(x)) return x
      if (x instanceof Error) return undefined // it is its own cause
      throw new Refused('an object whose packed form contains the object itself', x)
    }
    const out = this.out
    const place = out.mark()
    const objects = this.#objects.length
    const keyLists = this.#keyLists.length
    const marshaled = this.#marshaled.length
    const packing = this.#packing.length
    try {
      out.byte(Tag.packed)
      this.value(x)
      return x
    } catch (error) {
      // Some marshalers go on without it.
      if (error instanceof Refused) error.locate(x)
      this.#release(marshaled)
      this.#packing.length = packing
      for (const list of this.#keyLists.splice(keyLists)) list.stamp = 0
      for (const object of this.#objects.splice(objects)) this.#numbers?.delete(object)
      out.reset(place)
      throw error
    }
  }

  /** Lets go of what will not be sent. */
  #release(from: number): void {
    for (const { marshaler, body } of this.#marshaled.splice(from)) marshaler.release?.(body)
  }

  #numberOf(x: unknown): number {
    if (this.#numbers) return this.#numbers.get(x) ?? -1
    const objects = this.#objects
    for (let i = 0; i < objects.length; i++) if (objects[i] === x) return i
    return -1
  }

  #number(x: unknown): void {
    const objects = this.#objects
    const count = objects.push(x)
    if (count < FEW) return
    if (this.#numbers) this.#numbers.set(x, count - 1)
    else this.#numbers = new Map(objects.map((object, number) => [object, number]))
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
    const number = this.#numberOf(x)
    if (number >= 0) {
      this.#again(x, number)
      return
    }
    const marshaler = marshalerOf(x)
    if (!marshaler || this.#plain) throw new Refused(functionLabel(x), x)
    this.#reference(x, marshaler)
  }

  #object(x: object): void {
    const number = this.#numberOf(x)
    if (number >= 0) {
      this.#again(x, number)
      return
    }
    const marshaler = marshalerOf(x)
    if (marshaler) {
      if (this.#plain) throw new Refused(instanceLabel(x) + (marshaler.model ? ', a reference' : ''), x)
      this.#reference(x, marshaler)
      return
    }
    this.#number(x)
    if (Array.isArray(x)) {
      this.#array(x)
      return
    }
    const prototype: unknown = Object.getPrototypeOf(x)
    if (prototype === Object.prototype || prototype === null) this.plain(x as Record<string, unknown>)
    else if (this.#plain && cloneKindOf(x) === 'plain') throw new Refused(instanceLabel(x), x)
    else encodeBuiltIn(x, this)
  }

  plain(x: Record<string, unknown>): void {
    const out = this.out
    const keys = Object.keys(x)
    const count = keys.length
    if (count === 0) {
      out.byte(Tag.smallObject)
      return
    }
    const list = keyListOf(keys)
    if (!list) {
      out.byte(Tag.longObject)
      out.varint(count)
      for (let i = 0; i < count; i++) this.string(keys[i]!)
    } else if (list.stamp === this.#stamp) {
      out.byte(Tag.sameKeys)
      out.varint(list.number)
    } else {
      if (count < SMALL_OBJECTS) out.byte(Tag.smallObject + count)
      else {
        out.byte(Tag.object)
        out.varint(count)
      }
      out.keyList(list)
      list.stamp = this.#stamp
      list.number = this.#keyLists.push(list) - 1
    }
    for (let i = 0; i < count; i++) this.#member(x, keys[i]!)
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

  /** A buffer, which may have come already. */
  buffer(x: ArrayBuffer): void {
    const number = this.#numberOf(x)
    if (number >= 0) this.#again(x, number)
    else {
      this.#number(x)
      encodeBuiltIn(x, this)
    }
  }

  #reference(x: object, marshaler: Marshaler): void {
    const out = this.out
    this.#number(x)
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
      this.transferList = []
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
