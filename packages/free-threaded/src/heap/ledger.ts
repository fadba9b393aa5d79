/**
 * The ledger of a thread: the objects that it has handles of. When the thread has ended, another one drops them.
 *
 *   record +12 ─▸ chunk   +0 next chunk   +4 … entries: the address of an object, or 0
 *
 * Each entry stands for one in its object's count. The count goes up before the entry is written, and the entry is
 * emptied before the count goes down: a thread that dies in between leaves a count too high, never too low, and the
 * next collection sets it right.
 *
 * Invariants
 * - While its thread lives only that changes the ledger, inside a section.
 * - Who drops a dead thread's ledger has taken its record by compare-exchange of the thread's id to his own.
 */
import type { HeapMemory } from './heap-memory.js'
import { type HeapSections, ThreadRecord } from './sections.js'

export type Ledger = ReturnType<typeof makeLedger>

export function makeLedger(memory: HeapMemory, sections: HeapSections) {
  const { chunkBytes } = memory
  const empty: number[] = []

  /** Writes an entry; gives its address. */
  function note(object: number): number {
    const entry = empty.pop() ?? newChunk()
    memory.set(entry, object)
    return entry
  }

  function newChunk(): number {
    const head = sections.own() + ThreadRecord.ledger
    const chunk = memory.allocate(chunkBytes)
    memory.set(chunk, memory.load(head))
    memory.store(head, chunk)
    for (let entry = chunk + chunkBytes - 4; entry > chunk + 4; entry -= 4) empty.push(entry)
    return chunk + 4
  }

  /** Empties an entry. */
  function strike(entry: number): void {
    memory.set(entry, 0)
    empty.push(entry)
  }

  /** The objects in the ledger of a record. Nobody may change it meanwhile. */
  function* entriesOf(record: number): Generator<number> {
    let chunk = memory.load(record + ThreadRecord.ledger)
    while (chunk !== 0) {
      memory.reach(chunk + chunkBytes)
      for (let entry = chunk + 4; entry < chunk + chunkBytes; entry += 4) {
        const object = memory.get(entry)
        if (object !== 0) yield object
      }
      chunk = memory.get(chunk)
    }
  }

  /** Drops the ledgers of threads that have ended; `letGo` takes one off an object's count. */
  function dropDead(letGo: (object: number) => void): void {
    const me = memory.ownThreadId()
    for (const record of sections.records()) {
      const thread = memory.load(record + ThreadRecord.thread)
      if (thread === 0 || thread === me || memory.isAlive(thread)) continue
      // Who dies in here leaves the record in his own name, and so to the next one.
      if (memory.compareExchange(record + ThreadRecord.thread, thread, me) !== thread) continue
      dropEntries(record, letGo)
      memory.store(record + ThreadRecord.inside, 0)
      memory.store(record + ThreadRecord.thread, 0)
    }
  }

  function dropEntries(record: number, letGo: (object: number) => void): void {
    for (;;) {
      sections.enter()
      try {
        const chunk = memory.load(record + ThreadRecord.ledger)
        if (chunk === 0) return
        memory.reach(chunk + chunkBytes)
        for (let entry = chunk + 4; entry < chunk + chunkBytes; entry += 4) {
          const object = memory.get(entry)
          if (object === 0) continue
          memory.set(entry, 0)
          letGo(object)
        }
        memory.store(record + ThreadRecord.ledger, memory.get(chunk))
        memory.free(chunk, chunkBytes)
      } finally {
        sections.leave()
      }
    }
  }

  return { note, strike, entriesOf, dropDead }
}
