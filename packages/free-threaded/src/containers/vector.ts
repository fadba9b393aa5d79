/** The class of `SharedVector`; its store is in `vector-storage.ts`. */
import { misfit } from '../cells/cell-type.js'
import { cellTypeNamed } from '../cells/types.js'
import type { DeepReadonly } from '../cells/value-types.js'
import { addressOf } from '../handle.js'
import { dropHandle } from '../heap/index.js'
import {
  byType,
  cacheOf,
  checkedFunction,
  checkedOptions,
  checkedType,
  defineContainer,
  makeContainer,
  withoutGetters,
} from './container.js'
import { INSPECT, showEntries } from './show.js'
import { VectorStorage } from './vector-storage.js'
import type { SharedVectorConstructor, SharedVectorOptions, SharedVector as Vector } from './vector-types.js'

const storageOf = byType('SharedVector', (type: string) => new VectorStorage(cellTypeNamed(type)))

const VectorClass = class SharedVector<V, Out> {
  constructor(options: SharedVectorOptions, values?: Iterable<V> | null) {
    const { of } = checkedOptions<SharedVectorOptions>(options, "new SharedVector({ of: 'f64' })")
    const address = makeContainer(this, 'SharedVector', [checkedType(of, 'the element of a SharedVector').name])
    if (values === undefined || values === null) return
    try {
      for (const value of values) storageOf(address).append(address, prepared(address, value, 'new SharedVector'))
    } catch (error) {
      dropHandle(this)
      throw error
    }
  }

  get length(): number {
    const address = addressOf(this)
    return storageOf(address).length(address)
  }

  get(index: number): Out | undefined {
    const address = addressOf(this)
    const storage = storageOf(address)
    if (!(index >= 0 && index < storage.length(address)) || !Number.isInteger(index)) return undefined
    return storage.read(address, index, cacheOf(this)) as Out
  }

  at(index: number): Out | undefined {
    const place = Math.trunc(index) || 0
    return this.get(place < 0 ? place + this.length : place)
  }

  set(index: number, value: V): this {
    const address = addressOf(this)
    const ready = prepared(address, value, 'SharedVector.set')
    checkedIndex(index, storageOf(address).length(address), 'SharedVector.set')
    storageOf(address).write(address, index, ready)
    return this
  }

  update(index: number, fn: (value: Out) => V): Out {
    checkedFunction(fn, 'SharedVector.update')
    checkedIndex(index, this.length, 'SharedVector.update')
    this.set(index, fn(this.get(index)!))
    return this.get(index)!
  }

  push(...values: V[]): number {
    const address = addressOf(this)
    const storage = storageOf(address)
    const ready = values.map((value) => prepared(address, value, 'SharedVector.push'))
    if (ready.length === 1) storage.append(address, ready[0])
    else if (ready.length > 1) storage.appendAll(address, ready)
    return storage.length(address)
  }

  pop(): Out | undefined {
    const address = addressOf(this)
    const storage = storageOf(address)
    const length = storage.length(address)
    if (length === 0) return undefined
    const value = storage.read(address, length - 1, cacheOf(this)) as Out
    storage.removeLast(address)
    return value
  }

  shift(): Out | undefined {
    const address = addressOf(this)
    const storage = storageOf(address)
    if (storage.length(address) === 0) return undefined
    const value = storage.read(address, 0, cacheOf(this)) as Out
    storage.removeFirst(address)
    return value
  }

  unshift(...values: V[]): number {
    const address = addressOf(this)
    const storage = storageOf(address)
    const ready = values.map((value) => prepared(address, value, 'SharedVector.unshift'))
    if (ready.length === 1) storage.prepend(address, ready[0])
    else if (ready.length > 1) storage.replace(address, 0, 0, ready)
    return storage.length(address)
  }

  splice(...args: [start?: number, count?: number, ...values: V[]]): Out[] {
    const address = addressOf(this)
    const storage = storageOf(address)
    const ready = args.slice(2).map((value) => prepared(address, value, 'SharedVector.splice'))
    const from = whole(args[0])
    const most = args.length === 0 ? 0 : args.length === 1 ? Infinity : Math.max(whole(args[1]) ?? 0, 0)
    const length = storage.length(address)
    const start = relative(from, length, 0)
    const count = Math.min(most, length - start)
    const removed = elementsOf<Out>(this).slice(start, start + count)
    if (count > 0 || ready.length > 0) storage.replace(address, start, count, ready)
    return removed
  }

  fill(value: V, start?: number, end?: number): this {
    const address = addressOf(this)
    const storage = storageOf(address)
    const ready = prepared(address, value, 'SharedVector.fill')
    const [first, last] = [whole(start), whole(end)]
    const length = storage.length(address)
    const from = relative(first, length, 0)
    const count = relative(last, length, length) - from
    if (count > 0) storage.replace(address, from, count, new Array(count).fill(ready))
    return this
  }

  sort(compare?: (a: Out, b: Out) => number): this {
    if (compare !== undefined) checkedFunction(compare, 'SharedVector.sort')
    const elements = elementsOf<Out>(this)
    // What `sort` does with undefined, and how it compares by default, is its own business.
    const tagged = elements.map((value, index) => ({ value, index, text: compare ? '' : String(value) }))
    tagged.sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined)
      if (compare) return compare(a.value, b.value)
      return a.text < b.text ? -1 : Number(a.text > b.text)
    })
    const order = tagged.map(({ index }) => index)
    reorder(this, order, 'sort')
    return this
  }

  reverse(): this {
    const { length } = this
    const order = Array.from({ length }, (_, index) => length - 1 - index)
    reorder(this, order, 'reverse')
    return this
  }

  clear(): void {
    const address = addressOf(this)
    storageOf(address).clear(address)
    cacheOf(this).length = 0
  }

  slice(start?: number, end?: number): Out[] {
    return elementsOf<Out>(this).slice(start, end)
  }

  keys(): IterableIterator<number> {
    return this.slice().keys()
  }

  values(): IterableIterator<Out> {
    return this.slice().values()
  }

  entries(): IterableIterator<[number, Out]> {
    return this.slice().entries()
  }

  [Symbol.iterator](): IterableIterator<Out> {
    return this.slice().values()
  }

  toJSON(): Out[] {
    return this.slice()
  }

  [INSPECT](depth: number, options: object, inspect: (x: unknown, options: object) => string): string {
    return showEntries(this, 'SharedVector', () => elementsOf(this), depth, options, inspect)
  }

  get [Symbol.toStringTag](): string {
    return 'SharedVector'
  }
}

/** Those of `Array` that look only: they work on a copy of the moment when they are called. */
const LOOKING = [
  'indexOf',
  'lastIndexOf',
  'includes',
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'filter',
  'map',
  'flatMap',
  'forEach',
  'reduce',
  'reduceRight',
  'some',
  'every',
  'join',
] as const

for (const name of LOOKING) {
  const look = Array.prototype[name] as (this: unknown[], ...args: unknown[]) => unknown
  const method = {
    [name](this: Vector<unknown, unknown>, ...args: unknown[]): unknown {
      return look.apply(this.slice(), args)
    },
  }[name]!
  Object.defineProperty(method, 'length', { value: look.length, configurable: true })
  Object.defineProperty(VectorClass.prototype, name, { value: method, writable: true, configurable: true })
}

export type SharedVector<V, Out = DeepReadonly<V>> = Vector<V, Out>
export const SharedVector = VectorClass as unknown as SharedVectorConstructor

defineContainer(SharedVector, {
  unlocked: [...LOOKING, 'keys', 'values', 'entries', 'toJSON', Symbol.iterator, INSPECT, Symbol.toStringTag],
  owned: (address, visit) => storageOf(address).owned(address, visit),
  // Every change is one store: there is nothing to mend.
  mend: () => {},
})

/** What the store takes for a value. It may run the program's code. */
function prepared(address: number, value: unknown, member: string): unknown {
  const storage = storageOf(address)
  const plain = withoutGetters(storage.type, value)
  if (!storage.type.takes(plain)) throw misfit(`The element of ${member}`, storage.type, value)
  return storage.prepare(plain)
}

function elementsOf<Out>(vector: object): Out[] {
  const address = addressOf(vector)
  const storage = storageOf(address)
  const cache = cacheOf(vector)
  const elements: Out[] = []
  for (let i = 0, length = storage.length(address); i < length; i++) {
    elements.push(storage.read(address, i, cache) as Out)
  }
  return elements
}

function reorder(vector: object, order: readonly number[], member: string): void {
  const address = addressOf(vector)
  const storage = storageOf(address)
  if (storage.length(address) !== order.length) {
    throw new TypeError(`SharedVector.${member}: the function that compares has changed the vector's length.`)
  }
  if (order.length > 1) storage.reorder(address, order)
}

/** A number of any kind as a whole one. It may run the program's code: before anything of the store is looked at. */
function whole(value: unknown): number | undefined {
  return value === undefined ? undefined : Math.trunc(Number(value)) || 0
}

/** An index as those of `slice` are meant. */
function relative(index: number | undefined, length: number, missing: number): number {
  if (index === undefined) return missing
  return index < 0 ? Math.max(length + index, 0) : Math.min(index, length)
}

function checkedIndex(index: unknown, length: number, member: string): void {
  if (typeof index !== 'number') throw new TypeError(`The index of ${member} is a number, not ${String(index)}.`)
  if (Number.isInteger(index) && index >= 0 && index < length) return
  throw new RangeError(`${member}: there is no element ${index} of ${length}. push adds one.`)
}
