/** The class of `SharedMap`; the table is in `hash-table.ts`. */
import { i32 } from '@flatshare/core/internal'
import { misfit } from '../cells/cell-type.js'
import { cellTypeNamed } from '../cells/types.js'
import type { DeepReadonly } from '../cells/value-types.js'
import { addressOf } from '../handle.js'
import { dropHandle } from '../heap/index.js'
import { computeOnce } from './compute-once.js'
import {
  byType,
  cacheOf,
  checkedFunction,
  checkedKeyType,
  checkedOptions,
  checkedType,
  defineContainer,
  linkedAddress,
  makeContainer,
  withoutGetters,
} from './container.js'
import { HashTable } from './hash-table.js'
import type { SharedMap as PublicMap, SharedMapConstructor, SharedMapOptions } from './map-types.js'
import { INSPECT, showEntries } from './show.js'
import { LIMIT } from './storage.js'

const tableOf = byType(
  'SharedMap',
  (key: string, value: string, bounded: boolean) => new HashTable(cellTypeNamed(key), cellTypeNamed(value), bounded),
)

export type SharedMap<K, V, Out = DeepReadonly<V>> = PublicMap<K, V, Out>
export const SharedMap = class SharedMap<K, V, Out> {
  constructor(options: SharedMapOptions, entries?: Iterable<readonly [K, V]> | null) {
    const { key, value, maxEntries } = checkedOptions<SharedMapOptions>(
      options,
      "new SharedMap({ key: 'string', value: 'f64' })",
    )
    const keyType = checkedKeyType(key, 'the key of a SharedMap')
    const valueType = checkedType(value, 'the value of a SharedMap')
    const limit = maxEntries === undefined ? 0 : checkedLimit(maxEntries)
    const address = makeContainer(this, 'SharedMap', [keyType.name, valueType.name, limit > 0])
    i32[(address + LIMIT) >> 2] = limit
    if (entries === undefined || entries === null) return
    try {
      for (const [key, value] of entries) set(this, key, value, 'new SharedMap')
    } catch (error) {
      dropHandle(this)
      throw error
    }
  }

  get size(): number {
    const address = addressOf(this)
    return tableOf(address).count(address)
  }

  get maxEntries(): number | undefined {
    return i32[(linkedAddress(this, 'SharedMap') + LIMIT) >> 2] || undefined
  }

  get(key: K): Out | undefined {
    const address = addressOf(this)
    const table = tableOf(address)
    const entry = table.entryOf(address, key)
    if (entry === 0) return undefined
    table.touch(address, entry)
    return table.readValue(address, entry, cacheOf(this)) as Out
  }

  has(key: K): boolean {
    const address = addressOf(this)
    const table = tableOf(address)
    return table.entryOf(address, key) !== 0
  }

  set(key: K, value: V): this {
    set(this, key, value, 'SharedMap.set')
    return this
  }

  delete(key: K): boolean {
    const address = addressOf(this)
    const table = tableOf(address)
    const entry = table.entryOf(address, key)
    if (entry === 0) return false
    table.delete(address, entry)
    return true
  }

  clear(): void {
    const address = addressOf(this)
    tableOf(address).clear(address)
    cacheOf(this).length = 0
  }

  entries(): IterableIterator<[K, Out]> {
    return entriesOf<K, Out>(this).values()
  }

  keys(): IterableIterator<K> {
    const address = addressOf(this)
    const table = tableOf(address)
    const keys: K[] = []
    for (let entry = table.next(address, 0); entry !== 0; entry = table.next(address, entry)) {
      keys.push(table.readKey(entry) as K)
    }
    return keys.values()
  }

  values(): IterableIterator<Out> {
    return entriesOf<K, Out>(this)
      .map(([, value]) => value)
      .values()
  }

  [Symbol.iterator](): IterableIterator<[K, Out]> {
    return this.entries()
  }

  forEach(fn: (value: Out, key: K, map: this) => void, thisArg?: unknown): void {
    checkedFunction(fn, 'SharedMap.forEach')
    for (const [key, value] of this.entries()) fn.call(thisArg, value, key, this)
  }

  update(key: K, fn: (value: Out | undefined) => V): Out {
    checkedFunction(fn, 'SharedMap.update')
    set(this, key, fn(this.get(key)), 'SharedMap.update')
    return this.get(key) as Out
  }

  getOrInsert(key: K, value: V): Out {
    if (!this.has(key)) set(this, key, value, 'SharedMap.getOrInsert')
    return this.get(key) as Out
  }

  getOrInsertComputed(key: K, fn: (key: K) => V): Out {
    checkedFunction(fn, 'SharedMap.getOrInsertComputed')
    if (!this.has(key)) set(this, key, fn(key), 'SharedMap.getOrInsertComputed')
    return this.get(key) as Out
  }

  async getOrInsertAsync(
    key: K,
    factory: (key: K) => V | PromiseLike<V>,
    options: { signal?: AbortSignal } = {},
  ): Promise<Out> {
    checkedFunction(factory, 'SharedMap.getOrInsertAsync')
    const address = linkedAddress(this, 'SharedMap')
    const type = tableOf(address).key
    if (!type.takes(key)) throw misfit('The key of SharedMap.getOrInsertAsync', type, key)
    return computeOnce<K, V, Out>(this as never, address, key, factory, options)
  }

  toJSON(): Record<string, Out> | [K, Out][] {
    const entries = entriesOf<K, Out>(this)
    const { key } = tableOf(addressOf(this))
    return key.name === 'string' ? Object.fromEntries(entries as [never, Out][]) : entries
  }

  [INSPECT](depth: number, options: object, inspect: (x: unknown, options: object) => string): string {
    return showEntries(this, 'SharedMap', () => new Map(entriesOf(this)), depth, options, inspect)
  }

  get [Symbol.toStringTag](): string {
    return 'SharedMap'
  }
} as unknown as SharedMapConstructor

defineContainer(SharedMap, {
  unlocked: ['maxEntries', 'forEach', 'getOrInsertAsync', Symbol.iterator, INSPECT, Symbol.toStringTag],
  owned: (address, visit) => tableOf(address).owned(address, visit),
  mend: (address) => tableOf(address).mend(address),
})

function set(map: object, key: unknown, value: unknown, member: string): void {
  const address = addressOf(map)
  const table = tableOf(address)
  if (!table.key.takes(key)) throw misfit(`The key of ${member}`, table.key, key)
  const plain = withoutGetters(table.value!, value)
  if (!table.value!.takes(plain)) throw misfit(`The value of ${member}`, table.value!, value)
  table.set(address, key, plain)
}

function entriesOf<K, Out>(map: object): [K, Out][] {
  const address = addressOf(map)
  const table = tableOf(address)
  const cache = cacheOf(map)
  const entries: [K, Out][] = []
  for (let entry = table.next(address, 0); entry !== 0; entry = table.next(address, entry)) {
    entries.push([table.readKey(entry) as K, table.readValue(address, entry, cache) as Out])
  }
  return entries
}

function checkedLimit(maxEntries: unknown): number {
  if (typeof maxEntries !== 'number') throw new TypeError(`maxEntries is a number, not ${String(maxEntries)}.`)
  if (Number.isInteger(maxEntries) && maxEntries >= 1 && maxEntries <= 1 << 25) return maxEntries
  throw new RangeError(`maxEntries is a whole number from 1 to ${1 << 25}, not ${maxEntries}.`)
}
