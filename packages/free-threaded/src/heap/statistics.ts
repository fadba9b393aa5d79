import { arenaLimit } from '@flatshare/core/internal'
import { Control, type HeapControl } from './control.js'
import type { HeapMemory } from './heap-memory.js'
import { type HeapPages, KIND_OBJECT, Page } from './pages.js'

/** What the shared heap of this process holds. */
export interface HeapStatistics {
  /** Free-threaded objects, containers included, of all threads. */
  readonly objects: number
  /** Bytes of blocks in use: objects with their headers, strings and other values, containers' storage. */
  readonly bytesUsed: number
  /** Bytes that the heap has taken for them; never less than `bytesUsed`. */
  readonly bytesReserved: number
  /** Bytes that shared memory may grow to, the heap and all else in it. */
  readonly bytesLimit: number
  /** Objects in packets and messages on their way. */
  readonly inFlight: number
  /** How often the heap was collected. */
  readonly collections: number
}

export function makeStatistics(memory: HeapMemory, control: HeapControl, pages: HeapPages, inFlight: () => number) {
  return function statistics(): HeapStatistics {
    let objects = 0
    let bytesUsed = 0
    for (const page of pages.pages()) {
      const size = memory.get(page + Page.size)
      if (size === 0) continue
      const used = memory.get(page + Page.used) - memory.load(page + Page.remoteCount)
      bytesUsed += used * size
      if (memory.get(page + Page.kind) === KIND_OBJECT) objects += used
    }
    control.enter()
    for (const block of pages.largeBlocks()) bytesUsed += pages.capacity(block)
    control.leave()
    return {
      objects,
      bytesUsed,
      bytesReserved: memory.load(control.at() + Control.grown) * 16,
      bytesLimit: arenaLimit(),
      inFlight: inFlight(),
      collections: memory.load(control.at() + Control.collections),
    }
  }
}
