/**
 * Collection: what counting can't find. It runs on one thread while no other is in a section (`sections.ts`).
 *
 * 1. Mark: from all ledgers and crossings, along the owning cells. Each object's mark is
 *    the number of those that hold it, so that it is its true count.
 * 2. Sweep: in each page the blocks without a mark become the list of free ones, the others get their count; large
 *    blocks without a mark are freed. This needs no look at what was there: a lost block, a count too high, a list that
 *    a dead collector left half made, all come right.
 *
 * Step 1 changes nothing; step 2 can be done again from the start at any time.
 */
import { COUNT, HEADER_BYTES, TYPE } from './block.js'
import { Control, type HeapControl } from './control.js'
import type { Crossings } from './crossings.js'
import type { HeapMemory } from './heap-memory.js'
import type { Ledger } from './ledger.js'
import type { HeapObjects, OwnedVisitor } from './objects.js'
import { type HeapPages, KIND_OBJECT, Page } from './pages.js'
import type { HeapSections } from './sections.js'
import type { HeapTypes } from './types.js'

export function makeCollector(
  memory: HeapMemory,
  control: HeapControl,
  pages: HeapPages,
  sections: HeapSections,
  ledger: Ledger,
  crossings: Crossings,
  types: HeapTypes,
  objects: HeapObjects,
) {
  const { pageBytes, pageMask } = { pageBytes: memory.pageBytes, pageMask: pages.pageMask }

  /** Marks by page, a count for each block; large blocks by address. */
  class Marks {
    readonly #pages: (Int32Array | undefined)[] = []
    readonly large = new Set<number>()

    /** Gives what the mark was before. */
    raise(address: number): number {
      const page = address & pageMask
      if (!pages.isPage(page)) {
        this.large.add(address)
        return 0
      }
      const size = memory.get(page + Page.size)
      const marks = (this.#pages[page / pageBytes] ??= new Int32Array(Math.floor(pageBytes / size)))
      return marks[Math.floor((address - page - Page.blocks) / size)]!++
    }

    of(page: number): Int32Array | undefined {
      return this.#pages[page / pageBytes]
    }
  }

  function mark(): Marks {
    const marks = new Marks()
    const reached: number[] = []
    const visitor: OwnedVisitor = {
      value: (address) => {
        memory.reach(address + 16)
        marks.raise(address)
      },
      ref(address) {
        memory.reach(address + HEADER_BYTES)
        if (marks.raise(address) === 0) reached.push(address)
      },
    }
    for (const record of sections.records()) {
      // A dead thread's ledger too: who drops it counts down what stands there.
      for (const object of ledger.entriesOf(record)) visitor.ref(object)
    }
    for (const object of crossings.objects()) visitor.ref(object)
    for (let address = reached.pop(); address !== undefined; address = reached.pop()) {
      const info = types.at(address)
      if (!info) continue
      memory.reach(address + info.bytes)
      objects.visitOwned(address, info, visitor)
    }
    return marks
  }

  /** Gives how many objects were freed. */
  function sweep(marks: Marks): number {
    let freed = 0
    for (const page of pages.pages()) {
      if (memory.get(page + Page.size) !== 0) freed += sweepPage(page, marks.of(page))
    }
    for (const block of [...pages.largeBlocks()]) if (!marks.large.has(block)) pages.freeLarge(block)
    return freed
  }

  function sweepPage(page: number, marks: Int32Array | undefined): number {
    const size = memory.get(page + Page.size)
    const isObjects = memory.get(page + Page.kind) === KIND_OBJECT
    const count = (memory.get(page + Page.fresh) - page - Page.blocks) / size
    let used = 0
    let freed = 0
    let free = 0
    for (let i = count - 1; i >= 0; i--) {
      const block = page + Page.blocks + i * size
      const holders = marks ? marks[i]! : 0
      if (holders > 0) {
        used++
        if (isObjects) memory.set(block + COUNT, holders)
        continue
      }
      if (isObjects && memory.get(block + TYPE) !== 0) {
        freed++
        memory.set(block + TYPE, 0)
      }
      memory.set(block, free)
      free = block
    }
    memory.set(page + Page.free, free)
    memory.store(page + Page.remote, 0)
    memory.store(page + Page.remoteCount, 0)
    memory.set(page + Page.used, used)
    if (used === 0 && !memory.isAlive(memory.load(page + Page.owner))) {
      control.enter()
      pages.giveBack(page)
      control.leave()
    }
    return freed
  }

  /** While nobody is in a section. Gives how many objects were freed. */
  return function collect(): number {
    const marks = mark()
    const freed = sweep(marks)
    memory.store(control.at() + Control.grownAtCollection, memory.load(control.at() + Control.grown))
    memory.add(control.at() + Control.collections, 1)
    return freed
  }
}
