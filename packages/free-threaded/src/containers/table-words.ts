/** Where the words of a table and of its entries stand (see `hash-table.ts`), and the list of its entries by use. */
import { i32 } from '@flatshare/core/internal'

export const MASK = 0
export const USED = 4
export const COUNT = 8
export const END = 12
export const OLDEST = 16
export const LATEST = 20
export const BUCKETS = 32

export const NEXT = 4
const BEFORE = 8
const AFTER = 12
/** Where an entry's cells begin. */
export const START = { unbounded: NEXT + 4, bounded: AFTER + 4 } as const

/** Where the first entry stands. */
export function firstEntry(table: number): number {
  return BUCKETS + (i32[(table + MASK) >> 2] + 1) * 4
}

/** Puts an entry at the end of the list by use. */
export function append(table: number, at: number): void {
  const latest = i32[(table + LATEST) >> 2]
  i32[(table + at + BEFORE) >> 2] = latest
  i32[(table + at + AFTER) >> 2] = 0
  if (latest === 0) i32[(table + OLDEST) >> 2] = at
  else i32[(table + latest + AFTER) >> 2] = at
  i32[(table + LATEST) >> 2] = at
}

/** Takes an entry out of the list by use. */
export function unlink(table: number, at: number): void {
  const before = i32[(table + at + BEFORE) >> 2]
  const after = i32[(table + at + AFTER) >> 2]
  i32[(table + (before === 0 ? OLDEST : before + AFTER)) >> 2] = after
  i32[(table + (after === 0 ? LATEST : after + BEFORE)) >> 2] = before
}

/** Makes the list by use of a table that was copied: where an entry has gone stands in its old `next`. */
export function moveList(from: number, table: number): void {
  let at = i32[(from + OLDEST) >> 2]
  while (at !== 0) {
    append(table, i32[(from + at + NEXT) >> 2])
    at = i32[(from + at + AFTER) >> 2]
  }
}
