/** The shared heap, as the rest of the package uses it; what it promises is in the files. */
import { limitArena, ownThreadId, type ThreadId } from '@flatshare/core/internal'
import { collect, crossings, objects, pages, reap, sections, statistics, types } from './engine.js'
import { KIND_VALUE } from './pages.js'
import type { HeapStatistics } from './statistics.js'
import type { TypeDescription, TypeId, TypeInfo } from './types.js'

export { HEADER_BYTES, READERS, SHADOW, VERSION } from './block.js'
export { dropHandle, intern, knownAt, makeBlock, objectAt } from './handles.js'
export { HeapFullError } from './heap-full-error.js'
export { type HeapKind, registerKind } from './kinds.js'
export type { OwnedVisitor } from './objects.js'
export type { HeapStatistics } from './statistics.js'
export type { TypeDescription, TypeId, TypeInfo } from './types.js'

/** Begins a section; see `sections.ts`. */
export const enterHeap: () => void = sections.enter
export const leaveHeap: () => void = sections.leave

/**
 * A block for a value, as its last user left it. In a section.
 *
 * @throws HeapFullError
 */
export function allocateValue(bytes: number): number {
  return pages.allocate(KIND_VALUE, bytes)
}

/** Frees a value's block. In a section. */
export const freeValue: (address: number) => void = pages.free

/** How many bytes a value's block has room for. */
export const valueBytes: (address: number) => number = pages.capacity

/** One more holds the object. In a section. */
export const retain: (address: number) => void = objects.retain

/** One less holds the object. In a section. */
export const release: (address: number) => void = objects.release

/** The number of a type, the same on all threads. */
export const registerType: (description: TypeDescription) => TypeId = types.register

/** The type of an object. */
export function typeAt(address: number): TypeInfo {
  const info = types.at(address)
  if (!info) throw new Error(`There is no object at ${address}.`)
  return info
}

/** The type of what may be at any number, if that is an object. */
export function typeOfHandle(address: number): TypeInfo | undefined {
  return pages.isObjectBlock(address) ? types.at(address) : undefined
}

/**
 * The object is on its way to another thread, or to any. With `forGood` it may arrive any number of times. Gives the
 * crossing, which `endCrossing` ends.
 */
export function beginCrossing(address: number, to: ThreadId | undefined, forGood: boolean): number {
  sections.enter()
  try {
    objects.retain(address)
    return crossings.begin(address, forGood ? 0 : ownThreadId(), to ?? 0)
  } finally {
    sections.leave()
  }
}

/** Whether an object is on its way by a crossing; both may be any number. */
export function isCrossing(crossing: number, address: number): boolean {
  sections.enter()
  try {
    return crossings.isOf(crossing, address)
  } finally {
    sections.leave()
  }
}

/** Ends a crossing. False where there is none: it was ended before. */
export function endCrossing(crossing: number, address: number): boolean {
  sections.enter()
  try {
    if (!crossings.end(crossing, address)) return false
    objects.release(address)
    return true
  } finally {
    sections.leave()
  }
}

/**
 * What the shared heap of this process holds. It takes a look at every page: microseconds for a small heap, a
 * millisecond for a gibibyte.
 *
 * Objects are destroyed when the last thread lets go of them; a handle that nobody disposes of lets go when it is
 * collected as garbage, from the event loop. Objects that refer to each other in a cycle wait for a collection.
 *
 * @example
 * console.log(heapStatistics().objects)
 */
export function heapStatistics(): HeapStatistics {
  reap()
  return statistics()
}

/**
 * Frees what no thread can reach any more: cycles of objects, and what threads left behind that were terminated in
 * the middle of something. Other threads wait meanwhile where they make, free or link objects; some tens of
 * nanoseconds for each object in use. The heap does it by itself whenever it has doubled.
 *
 * @returns how many objects were freed.
 */
export function collectGarbage(): number {
  return collect()
}

/**
 * Sets to how many bytes shared memory may grow in this process: the heap, and all else in it. At most, and by
 * default, what the runtime has reserved: a gibibyte where it could. What would go beyond throws a HeapFullError and
 * changes nothing.
 *
 * @throws RangeError for anything but a number of bytes, 1 MiB or more.
 */
export function limitHeap(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 1 << 20) {
    throw new RangeError(`limitHeap takes a number of bytes, ${1 << 20} or more; this one is ${String(bytes)}.`)
  }
  limitArena(Math.min(bytes, 0x7fffffff))
}
