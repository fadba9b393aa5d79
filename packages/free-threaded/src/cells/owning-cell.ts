/** What all cells have in common that own a value block. */
import { i32, reach, u32 } from '@flatshare/core/internal'
import { collectGarbage, enterHeap, freeValue, HeapFullError, leaveHeap } from '../heap/index.js'
import type { CellType, Owning } from './cell-type.js'
import type { Kept } from './stamp.js'

/** Writes a cell: see `cell-type.ts`. The caller holds the lock, and is in no section. */
export function replaceOwned(owning: Owning, address: number, value: unknown): void {
  const prepared: unknown = owning.prepare(value)
  try {
    swapOwned(owning, address, prepared)
    return
  } catch (error) {
    if (!(error instanceof HeapFullError)) throw error
  }
  // Garbage may be in the way: objects that refer to each other and nobody holds.
  collectGarbage()
  swapOwned(owning, address, prepared)
}

/**
 * Stores what was prepared in a cell, and lets go of what that owned.
 *
 * @throws HeapFullError before anything has changed.
 */
export function swapOwned(owning: Owning, address: number, prepared: unknown): void {
  enterHeap()
  try {
    const content = owning.make(prepared)
    const before = u32[address >> 2]!
    u32[address >> 2] = content
    if (before !== 0) owning.drop(before)
  } finally {
    leaveHeap()
  }
}

/**
 * Makes all, or throws and has made nothing; then has each stored, which gives what was in its cell before.
 * The caller is in no section.
 *
 * @throws HeapFullError
 */
export function makeAll(
  owning: readonly Owning[],
  prepared: readonly unknown[],
  store: (i: number, content: number) => number,
): void {
  if (!tryMakeAll(owning, prepared, store)) return
  collectGarbage()
  const full = tryMakeAll(owning, prepared, store)
  if (full) throw full
}

function tryMakeAll(
  owning: readonly Owning[],
  prepared: readonly unknown[],
  store: (i: number, content: number) => number,
): HeapFullError | undefined {
  const made: number[] = []
  enterHeap()
  try {
    for (let i = 0; i < owning.length; i++) made.push(owning[i]!.make(prepared[i]))
    for (let i = 0; i < owning.length; i++) {
      const before = store(i, made[i]!)
      if (before !== 0) owning[i]!.drop(before)
    }
    return undefined
  } catch (error) {
    for (let i = 0; i < made.length; i++) if (made[i] !== 0) owning[i]!.drop(made[i]!)
    if (!(error instanceof HeapFullError)) throw error
    return error
  } finally {
    leaveHeap()
  }
}

/** Lets go of what a cell owns. The caller is in a section. */
export function clearOwned(owning: Owning, address: number): void {
  const before = u32[address >> 2]!
  u32[address >> 2] = 0
  if (before !== 0) owning.drop(before)
}

export function dropValue(block: number): void {
  if (block !== 0) freeValue(block)
}

/** What differs between types whose values are in blocks with a stamp at +4. */
interface ValueTraits<V> extends Pick<CellType<V>, 'name' | 'range' | 'valueType' | 'takes'> {
  prepare(value: V): unknown
  /** As `Owning`. */
  make(prepared: any): number
  /** The value in the block; that of the block 0 is the one of a cell that was never set. */
  decode(block: number): V
  /** Whether the value may be given out again: it can't be changed, or is this thread's own anyhow. */
  isKept(value: V): boolean
}

/** A type whose cells own value blocks. */
export function valueCell<V>({ name, range, valueType, takes, prepare, make, decode, isKept }: ValueTraits<V>) {
  const owning: Owning<V> = { prepare, make, drop: dropValue }
  return {
    name,
    range,
    valueType,
    takes,
    bytes: 4,
    align: 4,
    owns: 'value',
    isScalar: false,
    owning,
    read: (address) => decode(u32[address >> 2]!),
    readCached(address, cache, index) {
      const block = u32[address >> 2]!
      if (block === 0) return decode(0)
      reach(block + 8)
      const stamp = i32[(block + 4) >> 2]!
      const kept = cache[index] as Kept | undefined
      if (kept !== undefined && kept.address === block && kept.stamp === stamp) return kept.value as V
      const value = decode(block)
      if (!isKept(value)) cache[index] = undefined
      else if (kept === undefined) cache[index] = { address: block, stamp, value } satisfies Kept
      else {
        kept.address = block
        kept.stamp = stamp
        kept.value = value
      }
      return value
    },
    write: (address, value) => replaceOwned(owning, address, value),
    clear: (address) => clearOwned(owning, address),
  } satisfies CellType<V>
}
