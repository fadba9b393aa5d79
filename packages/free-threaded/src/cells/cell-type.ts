/**
 * What a type of shared values can do: the one description that fields and containers work by.
 *
 * A *cell* is the place of one value: in an object, at a field's offset; in a container, inside an entry.
 * It holds the value itself (scalars, enumerations, short arrays) or, in 4 bytes, the address of what it
 * *owns*: a value block of the heap, or another object, which it keeps alive.
 *
 * Writing a cell that owns something goes in two steps, because no program's code may run inside a section
 * of the heap: `prepare` turns the value into something that can only fail for want of memory (it adopts,
 * encodes, refuses), `make` allocates. Then the cell is stored, and what it owned before is let go. A
 * thread that dies on the way has lost a block until the next collection, and freed nothing twice.
 */

import { FlatshareError } from '@flatshare/core'
import type { Slot } from '../shape.js'

/** One type of cells. Cells of equal names are alike on all threads. */
export interface CellType<V = any> {
  /** As it stands in layouts and errors: `f64`, `u32[24]`, `enum(open|closed)`, `ref Account`. */
  readonly name: string
  /** What a cell takes. */
  readonly bytes: number
  readonly align: 1 | 2 | 4 | 8
  readonly owns: 'nothing' | 'value' | 'ref'
  /** Whether one machine access reads it whole: such fields are in snapshots. */
  readonly isScalar: boolean
  /** The values that fit, for an error. */
  readonly range: string
  /** What `typeof` gives for them, as far as that is one. */
  readonly valueType: string
  /** Whether a value may fit; what is deep inside of it, `write` looks at. */
  takes(value: unknown): value is V
  /** The value. The caller holds the lock that guards the cell. */
  read(address: number): V
  /** As `read`; gives the same value again while the cell is unchanged. `cache[index]` is the type's to use. */
  readCached?(address: number, cache: unknown[], index: number): V
  /** The value, without the lock, by one machine access. Scalars have it. */
  readOutside?(address: number): V
  /** Replaces the value; throws before anything has changed. The caller holds the lock, and is in no section. */
  write(address: number, value: V): void
  /** Lets go of what the cell owns, and zeroes it. The caller is in a section of the heap. */
  clear(address: number): void
  /** For cells that own something: see above. The caller of `make` is in a section. */
  readonly owning?: Owning<V>
  /** For keys of maps and sets. */
  hash?(value: V): number
  equalsAt?(address: number, value: V): boolean
  hashAt?(address: number): number
  /** What a field of this type gives instead of a value: a live view of its cell. */
  facade?(object: object, slot: Slot): unknown
}

/** The two steps of writing what a cell owns. */
export interface Owning<V = any, Prepared = any> {
  /** Everything that can be refused, and all that runs a program's code. Outside of any section. */
  prepare(value: V): Prepared
  /** The cell's content: an address, or 0. Inside a section; throws HeapFullError alone. */
  make(prepared: Prepared): number
  /** Undoes `make`. */
  drop(content: number): void
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'bigint') return `the bigint ${value}n`
  if (typeof value === 'number') return `the number ${Object.is(value, -0) ? '-0' : value}`
  if (typeof value === 'object' && value !== null) {
    const Class = (value as { constructor?: unknown }).constructor
    return typeof Class === 'function' && Class !== Object && Class.name ? `an object of ${Class.name}` : 'an object'
  }
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value)
}

/** The error for a value that the type doesn't take. */
export function misfit(member: string, type: CellType, value: unknown): TypeError | RangeError {
  const Kind = typeof value === type.valueType && typeof value !== 'object' ? RangeError : TypeError
  return new Kind(`${member} is shared as ${type.name} and takes ${type.range}, not ${shown(value)}.`)
}

/** An error of a value that its type has refused in depth, not knowing which member it was for: with that. */
export function withMember(member: string, error: unknown): unknown {
  const { name, message } = error as Error
  if (name !== 'FlatshareError' || !message.startsWith("A 'json' value")) return error
  return new FlatshareError(`${member}: ${message}`, { cause: error })
}
