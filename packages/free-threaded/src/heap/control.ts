/**
 * The heap's control block, one for the process.
 *
 *    +0 collector: the thread that collects, 0 for none      +4 thread records: the first
 *    +8 guard: the thread inside, 0 for none                +12 free pages: the first
 *   +16 types: how many                                     +20 large blocks: the first
 *   +24 crossings: the first chunk                          +28 crossings: the first free one
 *   +32 collections so far                                  +36 bytes of segments and large blocks, in units of 16
 *   +40 that sum after the last collection
 *   +64 a bit for each page of the arena: whether it is the heap's
 *  then a word for each type: the address of its description
 *
 * The guard is for what is rare: pages, segments, types, crossings. It is held for less than a microsecond, never
 * while anything else is waited for. Each change that it protects takes effect by one store, so whoever finds its
 * holder dead takes it over.
 */
import type { HeapMemory } from './heap-memory.js'

export const Control = {
  collector: 0,
  records: 4,
  guard: 8,
  freePages: 12,
  typeCount: 16,
  large: 20,
  crossings: 24,
  freeCrossings: 28,
  collections: 32,
  grown: 36,
  grownAtCollection: 40,
  pageBits: 64,
  types: 64 + 2048,
} as const

/** Pages that the bits can tell of: a gibibyte of 64 KiB each. */
export const MOST_PAGES = 16384
export const MOST_TYPES = 4096
const CONTROL_BYTES = Control.types + MOST_TYPES * 4

export type HeapControl = ReturnType<typeof makeControl>

export function makeControl(memory: HeapMemory) {
  let base = 0
  let inside = 0

  /** The address of the control block. */
  function at(): number {
    return base || (base = memory.control(CONTROL_BYTES))
  }

  /** Enters the guard; what it protects may have been left by a dead thread, whole. Nests. */
  function enter(): void {
    if (inside++ > 0) return
    const guard = at() + Control.guard
    const me = memory.ownThreadId()
    for (let spins = 0; ; spins++) {
      const holder = memory.compareExchange(guard, 0, me)
      if (holder === 0) return
      if (!memory.isAlive(holder) && memory.compareExchange(guard, holder, me) === holder) return
      // Nobody notifies: the guard is held for nanoseconds, and a notify on each leave would cost more.
      if (spins >= memory.spins) memory.nap(guard, holder)
    }
  }

  function leave(): void {
    if (--inside === 0) memory.store(at() + Control.guard, 0)
  }

  return { at, enter, leave }
}
