/**
 * What the blocks of all containers have in common: where their own words stand, and how the cells of their storage
 * are written and told of.
 *
 *   +32 store: the value block with the contents, 0 while there are none      (owned)
 *   +36 store end: no store of this container has ever reached beyond it
 *   +40 limit: of entries, 0 for none
 *
 * A value that a cell owns is *prepared* before anything of the store is looked at: that may run the program's code
 * (a getter), which may come back to the container. What follows runs no foreign code.
 *
 * A thread ends where its engine looks for interrupts, between two of its accesses to memory: what stands earlier in a
 * function was stored if something later was. What a death leaves without an owner, the next collection finds.
 */
import { i32, reach, u8 } from '@flatshare/core/internal'
import type { CellType } from '../cells/cell-type.js'
import { HEADER_BYTES } from '../heap/index.js'

export const STORE = HEADER_BYTES
const STORE_END = HEADER_BYTES + 4
export const LIMIT = HEADER_BYTES + 8
export const CONTAINER_BYTES = HEADER_BYTES + 16

/** What the heap is told of. */
export interface Visitor {
  value(address: number): void
  ref(address: number): void
}

/** The container's store, which this thread's views cover; 0 while it is empty. Inside its lock. */
export function storeOf(container: number): number {
  const end = i32[(container + STORE_END) >> 2]
  if (end > u8.length) reach(end)
  return i32[(container + STORE) >> 2]
}

/** Puts another store in the place of the present one, which the caller frees. In a section. */
export function publishStore(container: number, store: number, bytes: number): void {
  const end = (container + STORE_END) >> 2
  if (store + bytes > i32[end]) i32[end] = store + bytes
  i32[(container + STORE) >> 2] = store
}

/** Tells of what a cell owns. */
export function visitCell(type: CellType, cell: number, visit: Visitor): void {
  const owned = type.owns === 'nothing' ? 0 : i32[cell >> 2]
  if (owned === 0) return
  if (type.owns === 'ref') visit.ref(owned)
  else visit.value(owned)
}

/** Copies words from one place to another; both are multiples of 4. */
export function copyWords(from: number, to: number, bytes: number): void {
  const source = from >> 2
  const target = to >> 2
  for (let i = 0, words = bytes >> 2; i < words; i++) i32[target + i] = i32[source + i]
}
