/**
 * Sections: what a thread does with the heap, and the collector that stops all of them.
 *
 *   thread:      in := 1        │ load collector          collector:  collector := me    │ load every thread's "in"
 *                0: goes on; else in := 0, waits, again               waits until each is 0, or its thread has ended
 *
 *   record   +0 thread, 0: anybody's   +4 in   +8 next   +12 ledger: its first chunk (see `ledger.ts`)
 *
 * The operations are sequentially consistent, so of a thread and a collector that come at once one at least sees the
 * other. A collector that dies leaves its id: what it has half done only another collection mends, so whoever comes
 * upon it collects first.
 *
 * Invariants
 * - Nothing is waited for inside of a section but a guard, so each ends soon.
 * - A thread's record is its own while it lives, and found by its id; records are on their list for ever.
 */
import { Control, type HeapControl } from './control.js'
import type { HeapMemory } from './heap-memory.js'

export const ThreadRecord = { thread: 0, inside: 4, next: 8, ledger: 12 } as const
/** A cache line: threads must not slow each other down. */
const RECORD_BYTES = 64

export type HeapSections = ReturnType<typeof makeSections>

export function makeSections(memory: HeapMemory, control: HeapControl) {
  let record = 0
  let depth = 0
  let collectorAddress = 0
  /** Set when a collection is to run before this thread's next section. */
  let wanted: (() => void) | undefined

  /** This thread's record. */
  function own(): number {
    if (record !== 0) return record
    const me = memory.ownThreadId()
    const head = control.at() + Control.records
    collectorAddress = control.at() + Control.collector
    for (const known of records()) {
      if (memory.load(known) === 0 && memory.compareExchange(known + ThreadRecord.thread, 0, me) === 0) {
        return (record = known)
      }
    }
    const made = memory.allocate(RECORD_BYTES)
    memory.store(made + ThreadRecord.thread, me)
    for (;;) {
      const first = memory.load(head)
      memory.store(made + ThreadRecord.next, first)
      if (memory.compareExchange(head, first, made) === first) return (record = made)
    }
  }

  function* records(): Generator<number> {
    let at = memory.load(control.at() + Control.records)
    while (at !== 0) {
      memory.reach(at + RECORD_BYTES)
      yield at
      at = memory.load(at + ThreadRecord.next)
    }
  }

  /** Begins a section. It waits while another thread collects. Nests. */
  function enter(): void {
    if (depth++ > 0) return
    if (wanted !== undefined) collectFirst()
    const inside = (record || own()) + ThreadRecord.inside
    memory.store(inside, 1)
    if (memory.load(collectorAddress) !== 0) waitToEnter(inside)
  }

  function leave(): void {
    if (--depth === 0) memory.publish(record + ThreadRecord.inside, 0)
  }

  function collectFirst(): void {
    const collect = wanted!
    wanted = undefined
    depth = 0
    collect()
    depth = 1
  }

  function waitToEnter(inside: number): void {
    for (let spins = 0; ; spins++) {
      memory.store(inside, 0)
      const collector = memory.load(collectorAddress)
      if (collector !== 0 && !memory.isAlive(collector)) {
        depth = 0
        mend?.()
        depth = 1
      } else if (collector !== 0) {
        if (spins >= memory.spins) memory.nap(collectorAddress, collector)
        continue
      }
      memory.store(inside, 1)
      if (memory.load(collectorAddress) === 0) return
    }
  }

  let mend: (() => void) | undefined

  /**
   * Runs `collect` while no thread is in a section, this one included. False, and nothing was run, where another
   * thread has just collected.
   */
  function alone(collect: () => unknown): boolean {
    if (depth > 0) throw new Error('A collection inside of a section of the heap.')
    own()
    const me = memory.ownThreadId()
    let holder = memory.compareExchange(collectorAddress, 0, me)
    if (holder !== 0 && memory.isAlive(holder)) {
      while (memory.load(collectorAddress) === holder && memory.isAlive(holder)) memory.nap(collectorAddress, holder)
      return false
    }
    while (holder !== 0) {
      if (memory.compareExchange(collectorAddress, holder, me) === holder) break
      holder = memory.load(collectorAddress)
      if (holder !== 0) return false
      holder = memory.compareExchange(collectorAddress, 0, me)
    }
    try {
      for (const other of records()) {
        for (let spins = 0; other !== record && isInside(other); spins++) {
          if (spins >= memory.spins) memory.nap(other + ThreadRecord.inside, 1)
        }
      }
      // Its own sections nest in this.
      depth++
      collect()
    } finally {
      depth--
      memory.store(collectorAddress, 0)
      memory.notify(collectorAddress)
    }
    return true
  }

  function isInside(other: number): boolean {
    return memory.load(other + ThreadRecord.inside) === 1 && memory.isAlive(memory.load(other + ThreadRecord.thread))
  }

  return {
    own,
    records,
    enter,
    leave,
    alone,
    /** Whether this thread is in a section. */
    isInside: (): boolean => depth > 0,
    /** Has `collect` run before this thread's next section. */
    want(collect: () => void): void {
      wanted = collect
    },
    /** Says what mends the heap after a collector has died. */
    mendBy(collect: () => void): void {
      mend = collect
    },
  }
}
