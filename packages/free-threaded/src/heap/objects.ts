/**
 * How long objects live.
 *
 * An object counts who holds it: the threads that have a handle of it (`ledger.ts`), the cells of other objects that
 * refer to it, the packets that it travels in (`crossings.ts`). At zero it is destroyed at once, with all that it alone
 * held. What counting misses, cycles and what a thread left behind that died between two steps, is found by a
 * collection (`collect.ts`), which counts anew.
 *
 * Invariant: a count is never lower than the number of those that hold the object. So it goes up before the object is
 * stored anywhere, and down after it was taken away.
 */
import { COUNT, CROSSED, HEADER_BYTES, NEXT_RECORD, SHADOW } from './block.js'
import type { HeapMemory } from './heap-memory.js'
import type { HeapPages } from './pages.js'
import type { HeapTypes, TypeInfo } from './types.js'

/** Sees what an object owns: value blocks, and other objects that it keeps alive. Addresses; never 0. */
export interface OwnedVisitor {
  value(address: number): void
  ref(address: number): void
}

/** What a kind of objects owns beside what its description says. It must not allocate, throw or change anything. */
export type OwnedBy = (address: number, visitor: OwnedVisitor) => void

export type HeapObjects = ReturnType<typeof makeObjects>

/** `ownedBy` gives what is known of a kind on this thread. */
export function makeObjects(
  memory: HeapMemory,
  pages: HeapPages,
  types: HeapTypes,
  ownedBy: (kind: string) => OwnedBy | undefined,
) {
  /** One more holds the object. In a section. */
  function retain(address: number): void {
    memory.reach(address + HEADER_BYTES)
    memory.add(address + COUNT, 1)
  }

  /** One less holds the object; it is destroyed if that was the last. In a section. */
  function release(address: number): void {
    memory.reach(address + HEADER_BYTES)
    if (memory.add(address + COUNT, -1) === 1) destroy(address)
  }

  function destroy(first: number): void {
    // Not by recursion: a list of a million objects ends with its first.
    const doomed = [first]
    const visitor: OwnedVisitor = {
      value: pages.free,
      ref(address) {
        memory.reach(address + HEADER_BYTES)
        if (memory.add(address + COUNT, -1) === 1) doomed.push(address)
      },
    }
    for (let address = doomed.pop(); address !== undefined; address = doomed.pop()) {
      const info = types.at(address)
      if (info) {
        memory.reach(address + info.bytes)
        visitOwned(address, info, visitor)
      }
      pages.free(address)
    }
  }

  function visitOwned(address: number, info: TypeInfo, visitor: OwnedVisitor): void {
    for (const offset of info.refs) {
      const owned = memory.get(address + offset)
      if (owned !== 0) visitor.ref(owned)
    }
    for (const offset of info.values) {
      const owned = memory.get(address + offset)
      if (owned !== 0) visitor.value(owned)
    }
    const shadow = memory.get(address + SHADOW)
    if (shadow > CROSSED) visitor.value(shadow)
    for (const offset of info.readers) {
      let record = memory.get(address + offset)
      while (record !== 0) {
        memory.reach(record + 16)
        const next = memory.get(record + NEXT_RECORD)
        visitor.value(record)
        record = next
      }
    }
    ownedBy(info.kind)?.(address, visitor)
  }

  return { retain, release, visitOwned }
}
