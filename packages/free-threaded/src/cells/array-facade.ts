/**
 * What a field of a fixed array gives: an object over the shared numbers, the same one each time.
 *
 * Indices work by a Proxy at the end of its prototype chain: it sees only what is found nowhere else, so
 * the methods cost what methods cost.
 */
import { FlatshareError, NotMarshalableError } from '@flatshare/core'
import { MARSHALER, type Marshaler } from '@flatshare/core/internal'
import { type Access, makeAccess } from '../access.js'
import { addressOf, attachmentOf, DISPOSED } from '../handle.js'
import { makeBlock } from '../heap/index.js'
import { enterToWrite, isInside, leave } from '../object-lock.js'
import { readFromOutside } from '../reading.js'
import { type Slot, shapeOf } from '../shape.js'
import type { ArrayLayout } from './array-cell.js'
import type { RawArray, SharedArray } from './array-type.js'
import { type CellType, misfit } from './cell-type.js'

type Value = number | bigint

/** This thread's facade of a slot. The object's block is made if there is none. */
export function facadeOf(object: object, slot: Slot, layout: ArrayLayout): SharedArray<Value> {
  const shape = shapeOf(object)!
  if (addressOf(object) === DISPOSED) throw disposed(`${shape.name}.${slot.label}`)
  if (addressOf(object) === 0) makeBlock(object, shape.typeId(), true)
  const hold = attachmentOf(object)!
  const cache = (hold.cache ??= [])
  return (cache[slot.index] ??= new FixedArray(object, slot, layout, `${shape.name}.${slot.label}`)) as FixedArray
}

function disposed(member: string): FlatshareError {
  return new FlatshareError(`${member} can't be used: its object was disposed of on this thread.`)
}

class FixedArray implements SharedArray<Value> {
  [index: number]: Value
  readonly length: number
  /** Being the object's own, a function makes structured clone refuse it. */
  readonly toJSON: () => Value[]
  readonly #object: object
  readonly #slot: Slot
  readonly #layout: ArrayLayout
  readonly #member: string
  readonly #access: Access

  constructor(object: object, slot: Slot, layout: ArrayLayout, member: string) {
    this.length = layout.length
    this.#object = object
    this.#slot = slot
    this.#layout = layout
    this.#member = member
    this.#access = makeAccess(member, slot.group)
    this.toJSON = () => Array.from({ length: this.length }, (_, i) => this.get(i))
    Object.freeze(this)
  }

  static is(x: unknown): x is FixedArray {
    return typeof x === 'object' && x !== null && #object in x
  }

  /** The object's block; below 0 as long as nobody else can have it. */
  #block(): number {
    const address = addressOf(this.#object)
    if (address === DISPOSED) throw disposed(this.#member)
    return address
  }

  #checked(index: number): number {
    if (Number.isInteger(index) && index >= 0 && index < this.length) return index
    throw new RangeError(`${this.#member}[${String(index)}] does not exist: its indices are 0 to ${this.length - 1}.`)
  }

  #checkedValue(index: number, value: unknown): void {
    const { element } = this.#layout
    if (!element.takes(value)) throw misfit(`${this.#member}[${index}]`, element as CellType, value)
  }

  /** Runs `fn` as a method that writes: alone. */
  #writing(fn: (cell: number) => void): this {
    const block = this.#block()
    const { offset, group } = this.#slot
    if (block < 0) fn(-block + offset)
    else if (isInside(block + group.lockOffset)) fn(block + offset)
    else {
      const lock = block + group.lockOffset
      const entry = enterToWrite(this.#object, lock, this.#access)
      try {
        fn(block + offset)
      } finally {
        leave(this.#object, lock, this.#access, entry)
      }
    }
    return this
  }

  get(index: number): Value {
    this.#checked(index)
    const { element, at } = this.#layout
    const address = at(Math.abs(this.#block()) + this.#slot.offset)
    // One number is whole by itself.
    if (address === 0) return element.bytes === 8 && element.valueType === 'bigint' ? 0n : 0
    return element.readOutside(address + index * element.bytes)
  }

  at(index: number): Value | undefined {
    const whole = Math.trunc(index) || 0
    const place = whole < 0 ? whole + this.length : whole
    return place >= 0 && place < this.length ? this.get(place) : undefined
  }

  set(first: number | ArrayLike<Value>, second?: Value): this {
    if (typeof first === 'object') return this.#setAll(first, (second ?? 0) as number)
    this.#checked(first)
    this.#checkedValue(first, second)
    const { element, made } = this.#layout
    return this.#writing((cell) => element.write(made(cell) + first * element.bytes, second!))
  }

  #setAll(values: ArrayLike<Value>, offset: number): this {
    const list = Array.prototype.slice.call(values) as Value[]
    if (list.length === 0) return this
    this.#checked(offset)
    this.#checked(offset + list.length - 1)
    for (let i = 0; i < list.length; i++) this.#checkedValue(offset + i, list[i])
    const { element, made } = this.#layout
    return this.#writing((cell) => {
      const start = made(cell) + offset * element.bytes
      for (let i = 0; i < list.length; i++) element.write(start + i * element.bytes, list[i]!)
    })
  }

  fill(value: Value, start = 0, end: number = this.length): this {
    const from = clamped(start, this.length)
    const to = clamped(end, this.length)
    this.#checkedValue(from, value)
    const { element, made } = this.#layout
    return this.#writing((cell) => {
      const address = made(cell)
      for (let i = from; i < to; i++) element.write(address + i * element.bytes, value)
    })
  }

  toArray(): Value[] {
    const block = this.#block()
    const lock = block + this.#slot.group.lockOffset
    if (block < 0 || isInside(lock)) return this.toJSON()
    return readFromOutside(this.#object, lock, this.#access, () => this.toJSON())
  }

  view(): RawArray {
    const block = this.#block()
    const { offset, group } = this.#slot
    if (block > 0 && !isInside(block + group.lockOffset)) {
      throw new FlatshareError(
        `${this.#member}.view() is memory that other threads change: take it inside a method of the object, or inside ` +
          'locked(object, () => { … }), and let go of it there.',
      )
    }
    const { made, viewAt } = this.#layout
    return viewAt(made(Math.abs(block) + offset))
  }

  keys(): IterableIterator<number> {
    return this.toArray().keys()
  }

  values(): IterableIterator<Value> {
    return this.toArray().values()
  }

  entries(): IterableIterator<[number, Value]> {
    return this.toArray().entries()
  }

  [Symbol.iterator](): IterableIterator<Value> {
    return this.values()
  }

  /** What `console.log` shows, where the runtime asks; it doesn't wait. */
  [Symbol.for('nodejs.util.inspect.custom')](
    depth: number,
    options: object,
    inspect: (x: unknown, options: object) => string,
  ): string {
    return depth < 0
      ? `[SharedArray(${this.length})]`
      : `SharedArray(${this.length}) ${inspect(this.toJSON(), options)}`
  }
}

Object.defineProperty(FixedArray.prototype, MARSHALER, {
  value: {
    kind: 'shared array',
    model: undefined,
    marshal(): never {
      throw new NotMarshalableError(
        'The numbers of a shared array belong to an object and cross with that. To send a copy, take array.toArray().',
      )
    },
    unmarshal(): never {
      throw new NotMarshalableError('Shared arrays cross with the objects that have them.')
    },
  } satisfies Marshaler,
})

function clamped(index: number, length: number): number {
  const whole = Math.trunc(index) || 0
  return whole < 0 ? Math.max(0, whole + length) : Math.min(whole, length)
}

const INDEX = /^(?:0|[1-9]\d*)$/

/** The number of a key that is an index; -1 for another key. */
const indexOf = (key: PropertyKey): number => (typeof key === 'string' && INDEX.test(key) ? Number(key) : -1)

Object.setPrototypeOf(
  FixedArray.prototype,
  new Proxy(Object.create(Object.prototype) as object, {
    get(target, key, receiver) {
      const index = indexOf(key)
      if (index >= 0 && FixedArray.is(receiver)) return index < receiver.length ? receiver.get(index) : undefined
      return Reflect.get(target, key, receiver) as unknown
    },
    // Of which array is not known here: reading tells.
    has: (target, key) => indexOf(key) >= 0 || Reflect.has(target, key),
    set(target, key, value, receiver) {
      const index = indexOf(key)
      if (index < 0 || !FixedArray.is(receiver)) return Reflect.set(target, key, value, receiver)
      receiver.set(index, value as Value)
      return true
    },
  }),
)
