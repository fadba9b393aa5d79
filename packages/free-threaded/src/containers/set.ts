/** The class of `SharedSet`; the table is in `hash-table.ts`. */
import { misfit } from '../cells/cell-type.js'
import { cellTypeNamed } from '../cells/types.js'
import { addressOf } from '../handle.js'
import { dropHandle } from '../heap/index.js'
import { byType, checkedFunction, checkedKeyType, checkedOptions, defineContainer, makeContainer } from './container.js'
import { HashTable } from './hash-table.js'
import type { SharedSet as PublicSet, SetLike, SharedSetConstructor, SharedSetOptions } from './set-types.js'
import { INSPECT, showEntries } from './show.js'

const tableOf = byType('SharedSet', (key: string) => new HashTable(cellTypeNamed(key), undefined, false))

export type SharedSet<T> = PublicSet<T>
export const SharedSet = class SharedSet<T> {
  constructor(options: SharedSetOptions, values?: Iterable<T> | null) {
    const { of } = checkedOptions<SharedSetOptions>(options, "new SharedSet({ of: 'string' })")
    makeContainer(this, 'SharedSet', [checkedKeyType(of, 'the value of a SharedSet').name])
    if (values === undefined || values === null) return
    try {
      for (const value of values) add(this, value, 'new SharedSet')
    } catch (error) {
      dropHandle(this)
      throw error
    }
  }

  get size(): number {
    const address = addressOf(this)
    return tableOf(address).count(address)
  }

  has(value: T): boolean {
    const address = addressOf(this)
    const table = tableOf(address)
    return table.entryOf(address, value) !== 0
  }

  add(value: T): this {
    add(this, value, 'SharedSet.add')
    return this
  }

  addIfAbsent(value: T): boolean {
    const address = addressOf(this)
    const before = tableOf(address).count(address)
    add(this, value, 'SharedSet.addIfAbsent')
    return tableOf(address).count(address) > before
  }

  delete(value: T): boolean {
    const address = addressOf(this)
    const table = tableOf(address)
    const entry = table.entryOf(address, value)
    if (entry === 0) return false
    table.delete(address, entry)
    return true
  }

  clear(): void {
    const address = addressOf(this)
    tableOf(address).clear(address)
  }

  keys(): IterableIterator<T> {
    return this.values()
  }

  values(): IterableIterator<T> {
    return valuesOf<T>(this).values()
  }

  entries(): IterableIterator<[T, T]> {
    return valuesOf<T>(this)
      .map((value): [T, T] => [value, value])
      .values()
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.values()
  }

  forEach(fn: (value: T, same: T, set: this) => void, thisArg?: unknown): void {
    checkedFunction(fn, 'SharedSet.forEach')
    for (const value of this.values()) fn.call(thisArg, value, value, this)
  }

  union<U>(other: SetLike<U>): Set<T | U> {
    return new Set<T | U>([...this.values(), ...keysOf(other, 'union')])
  }

  intersection<U>(other: SetLike<U>): Set<T & U> {
    checkedSet(other, 'intersection')
    return new Set([...this.values()].filter((value) => other.has(value as never))) as Set<T & U>
  }

  difference<U>(other: SetLike<U>): Set<T> {
    checkedSet(other, 'difference')
    return new Set([...this.values()].filter((value) => !other.has(value as never)))
  }

  symmetricDifference<U>(other: SetLike<U>): Set<T | U> {
    const result = new Set<T | U>(this.values())
    const own = new Set<unknown>(result)
    for (const value of keysOf(other, 'symmetricDifference')) {
      if (own.has(value)) result.delete(value)
      else result.add(value)
    }
    return result
  }

  isSubsetOf(other: SetLike<unknown>): boolean {
    checkedSet(other, 'isSubsetOf')
    return [...this.values()].every((value) => other.has(value))
  }

  isSupersetOf(other: SetLike<unknown>): boolean {
    const own = new Set<unknown>(this.values())
    return [...keysOf(other, 'isSupersetOf')].every((value) => own.has(value))
  }

  isDisjointFrom(other: SetLike<unknown>): boolean {
    checkedSet(other, 'isDisjointFrom')
    return ![...this.values()].some((value) => other.has(value))
  }

  toJSON(): T[] {
    return valuesOf(this)
  }

  [INSPECT](depth: number, options: object, inspect: (x: unknown, options: object) => string): string {
    return showEntries(this, 'SharedSet', () => new Set(valuesOf(this)), depth, options, inspect)
  }

  get [Symbol.toStringTag](): string {
    return 'SharedSet'
  }
} as unknown as SharedSetConstructor

defineContainer(SharedSet, {
  unlocked: [
    'keys',
    'forEach',
    'union',
    'intersection',
    'difference',
    'symmetricDifference',
    'isSubsetOf',
    'isSupersetOf',
    'isDisjointFrom',
    Symbol.iterator,
    INSPECT,
    Symbol.toStringTag,
  ],
  owned: (address, visit) => tableOf(address).owned(address, visit),
  mend: (address) => tableOf(address).mend(address),
})

function add(set: object, value: unknown, member: string): void {
  const address = addressOf(set)
  const table = tableOf(address)
  if (!table.key.takes(value)) throw misfit(`The value of ${member}`, table.key, value)
  table.set(address, value, undefined)
}

function valuesOf<T>(set: object): T[] {
  const address = addressOf(set)
  const table = tableOf(address)
  const values: T[] = []
  for (let entry = table.next(address, 0); entry !== 0; entry = table.next(address, entry)) {
    values.push(table.readKey(entry) as T)
  }
  return values
}

function checkedSet(other: unknown, member: string): void {
  const given = other as Partial<SetLike<unknown>> | null | undefined
  if (typeof given === 'object' && given && typeof given.has === 'function' && typeof given.keys === 'function') return
  throw new TypeError(`SharedSet.${member} takes a set, or what has size, has and keys like one.`)
}

/** What `keys` of something like a set gives: an iterator, which need not be iterable. */
function keysOf<T>(other: SetLike<T>, member: string): T[] {
  checkedSet(other, member)
  const values: T[] = []
  const iterator = other.keys()
  for (let step = iterator.next(); !step.done; step = iterator.next()) values.push(step.value)
  return values
}
