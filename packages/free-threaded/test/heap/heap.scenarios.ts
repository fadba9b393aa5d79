/** Small programs on the heap; see `explorer.ts`. */
import { COUNT, TYPE } from '../../dist/heap/block.js'
import { makeCollector } from '../../dist/heap/collect.js'
import { makeControl } from '../../dist/heap/control.js'
import { makeCrossings } from '../../dist/heap/crossings.js'
import type { HeapMemory } from '../../dist/heap/heap-memory.js'
import { makeLedger } from '../../dist/heap/ledger.js'
import { makeObjects } from '../../dist/heap/objects.js'
import { KIND_OBJECT, KIND_VALUE, makePages, Page } from '../../dist/heap/pages.js'
import { makeSections } from '../../dist/heap/sections.js'
import type { TypeInfo } from '../../dist/heap/types.js'
import { HEAP_START, type HeapScenario, type HeapThread, PAGE_BYTES } from './explorer.js'

/** What the scenarios run; tests put a broken part in its place. */
export const subject = { makeControl, makePages, makeSections, makeLedger, makeCrossings, makeObjects, makeCollector }

const REF = 32
const OBJECT_BYTES = 48
const VALUE_BYTES = 80
/** Words by which the threads of a scenario tell each other something. */
const [A, B, C, D] = [0x100, 0x140, 0x180, 0x1c0]

const node: TypeInfo = {
  id: 1,
  kind: 'node',
  name: 'node',
  layout: '',
  module: '',
  bytes: OBJECT_BYTES,
  refs: [REF],
  values: [],
  readers: [],
}

function heapOver(memory: HeapMemory) {
  const control = subject.makeControl(memory)
  const pages = subject.makePages(memory, control)
  const sections = subject.makeSections(memory, control)
  const ledger = subject.makeLedger(memory, sections)
  const crossings = subject.makeCrossings(memory, control)
  const types = { at: (address: number) => (memory.get(address + TYPE) === 1 ? node : undefined) } as never
  const objects = subject.makeObjects(memory, pages, types, () => undefined)
  const collect = subject.makeCollector(memory, control, pages, sections, ledger, crossings, types, objects)
  const inHeap = <R>(fn: () => R): R => {
    sections.enter()
    const result = fn()
    sections.leave()
    return result
  }
  sections.mendBy(() => void sections.alone(collect))
  return {
    pages,
    sections,
    ledger,
    crossings,
    objects,
    inHeap,
    collect: () => sections.alone(collect),
    /** A new object with an entry in the ledger. */
    make: () =>
      inHeap(() => {
        const address = pages.allocate(KIND_OBJECT, OBJECT_BYTES)
        memory.clear(address, OBJECT_BYTES)
        memory.set(address + COUNT, 1)
        memory.set(address + TYPE, 1)
        return { address, entry: ledger.note(address) }
      }),
    drop: (address: number, entry: number) =>
      inHeap(() => {
        ledger.strike(entry)
        objects.release(address)
      }),
  }
}

/** Pages alone, for scenarios without a collector: sections would only add steps. */
function pagesOver(memory: HeapMemory) {
  return subject.makePages(memory, subject.makeControl(memory))
}

/** Takes so many blocks, and gives them back. */
const taker = (times: number, backwards = false): HeapThread => ({
  run(memory, { own, disown }) {
    const pages = pagesOver(memory)
    const taken: number[] = []
    for (let i = 0; i < times; i++) {
      const block = pages.allocate(KIND_VALUE, VALUE_BYTES)
      own(block, VALUE_BYTES)
      taken.push(block)
    }
    for (const block of backwards ? taken.reverse() : taken) {
      disown(block)
      pages.free(block)
    }
  },
})

/** Makes a block for another thread, and goes on taking. */
const giver = (times: number): HeapThread => ({
  run(memory, { own, put }) {
    const pages = pagesOver(memory)
    const given = pages.allocate(KIND_VALUE, VALUE_BYTES)
    put(A, given)
    for (let i = 0; i < times; i++) {
      const block = pages.allocate(KIND_VALUE, VALUE_BYTES)
      own(block, VALUE_BYTES)
    }
  },
})

/** Frees what it was given, and takes something. */
const freer: HeapThread = {
  run(memory, { until, own, disown }) {
    const pages = pagesOver(memory)
    const given = until(A)
    own(given, VALUE_BYTES)
    disown(given)
    pages.free(given)
    own(pages.allocate(KIND_VALUE, VALUE_BYTES), VALUE_BYTES)
  },
}

/** Makes an object, uses it, lets it go, makes another. */
const maker = (times: number): HeapThread => ({
  run(memory, { own, disown }) {
    const heap = heapOver(memory)
    for (let i = 0; i < times; i++) {
      const { address, entry } = heap.make()
      own(address, OBJECT_BYTES)
      if (i + 1 === times) return
      disown(address)
      heap.drop(address, entry)
    }
  },
})

const collector: HeapThread = {
  run(memory) {
    heapOver(memory).collect()
  },
}

/** Makes an object that two others then have handles of, and drops its own. */
const sharer = (others: number): HeapThread => ({
  run(memory, { put, until }) {
    const heap = heapOver(memory)
    const { address, entry } = heap.make()
    heap.inHeap(() => {
      for (let i = 0; i < others; i++) heap.objects.retain(address)
    })
    put(A, address)
    if (others > 1) until(B)
    heap.drop(address, entry)
  },
})

/** Has been counted in, writes that into its ledger, and drops it. */
const holder: HeapThread = {
  run(memory, { until, put }) {
    const heap = heapOver(memory)
    const address = until(A)
    const entry = heap.inHeap(() => heap.ledger.note(address))
    put(B, 1)
    heap.drop(address, entry)
  },
}

/** Finds out what dead threads have left, and drops it; then takes what is free. */
const reaper = (objects: number): HeapThread => ({
  run(memory, { own }) {
    const heap = heapOver(memory)
    heap.ledger.dropDead(heap.objects.release)
    for (let i = 0; i < objects; i++) own(heap.make().address, OBJECT_BYTES)
  },
})

/** Makes an object that another thread then holds as well, and goes on using it. */
const keeper: HeapThread = {
  run(memory, { put, own }) {
    const heap = heapOver(memory)
    const { address } = heap.make()
    own(address, OBJECT_BYTES)
    put(A, address)
  },
}

const borrower: HeapThread = {
  run(memory, { until }) {
    const heap = heapOver(memory)
    const address = until(A)
    heap.inHeap(() => {
      heap.objects.retain(address)
      heap.ledger.note(address)
    })
  },
}

/** Then it takes all that is free: nothing of that may be in use. */
const collectorThenReaper: HeapThread = {
  run(memory, { until, own }) {
    const heap = heapOver(memory)
    until(A)
    heap.collect()
    heap.ledger.dropDead(heap.objects.release)
    own(heap.make().address, OBJECT_BYTES)
  },
}

const collectorOnceSent: HeapThread = {
  run(memory, { until, own }) {
    const heap = heapOver(memory)
    until(A)
    heap.collect()
    own(heap.make().address, OBJECT_BYTES)
  },
}

/** Two objects that refer to each other: only a collection finds that nobody holds them. */
const cycler: HeapThread = {
  run(memory) {
    const heap = heapOver(memory)
    const [a, b] = [heap.make(), heap.make()]
    heap.inHeap(() => {
      heap.objects.retain(b.address)
      memory.set(a.address + REF, b.address)
      heap.objects.retain(a.address)
      memory.set(b.address + REF, a.address)
    })
    heap.drop(a.address, a.entry)
    heap.drop(b.address, b.entry)
  },
}

const sender: HeapThread = {
  run(memory, { put }) {
    const heap = heapOver(memory)
    const { address, entry } = heap.make()
    const crossing = heap.inHeap(() => {
      heap.objects.retain(address)
      return heap.crossings.begin(address, 1, 0)
    })
    put(B, address)
    put(A, crossing)
    heap.drop(address, entry)
  },
}

/** Gives two blocks away, then takes until it gets them back. */
const doubleGiver: HeapThread = {
  run(memory, { own, put }) {
    const pages = pagesOver(memory)
    const [a, b] = [pages.allocate(KIND_VALUE, VALUE_BYTES), pages.allocate(KIND_VALUE, VALUE_BYTES)]
    put(A, a)
    put(B, b)
    own(pages.allocate(KIND_VALUE, VALUE_BYTES), VALUE_BYTES)
    own(pages.allocate(KIND_VALUE, VALUE_BYTES), VALUE_BYTES)
    own(pages.allocate(KIND_VALUE, VALUE_BYTES), VALUE_BYTES)
    put(C, 1)
  },
}

const freerOf = (place: number): HeapThread => ({
  run(memory, { until }) {
    pagesOver(memory).free(until(place))
    memory.add(D, 1)
  },
})

/** Takes what is on its way, if nobody else has. */
function receive(memory: HeapMemory, crossing: number, address: number): boolean {
  const { crossings, inHeap, ledger, objects } = heapOver(memory)
  return inHeap(() => {
    if (!crossings.isOf(crossing, address)) return false
    objects.retain(address)
    ledger.note(address)
    if (crossings.end(crossing, address)) objects.release(address)
    return true
  })
}

const receiver: HeapThread = {
  run(memory, { until }) {
    const crossing = until(A)
    if (receive(memory, crossing, until(B))) memory.add(C, 1)
  },
}

/** As `receiver`, but doesn't wait for a sender that has died. */
const receiverOrNobody: HeapThread = {
  run(memory, { own }) {
    const crossing = memory.load(A)
    const address = memory.load(B)
    if (crossing !== 0 && receive(memory, crossing, address)) own(address, OBJECT_BYTES)
  },
}

const mortal = (thread: HeapThread): HeapThread => ({ ...thread, mortal: true })

export const heapScenarios: Record<string, HeapScenario> = {
  'two take and give back': { threads: [taker(3), taker(2, true)], preemptions: 2 },
  'one frees what another took, who goes on taking': { threads: [giver(4), freer], preemptions: 2 },
  'two free into one page': {
    threads: [doubleGiver, freerOf(A), freerOf(B)],
    preemptions: 2,
    finally: (read) => lostBlocks(read, 5, 2),
  },
  'two free what a third took': { threads: [giver(3), freer, taker(1)], preemptions: 1 },
  'a mortal takes, one takes after it': { threads: [mortal(taker(2)), taker(3)], deaths: 1, preemptions: 1 },
  'a mortal takes, two take after it': {
    threads: [mortal(taker(1)), taker(2), taker(1)],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal frees what another took': { threads: [giver(3), mortal(freer)], deaths: 1, preemptions: 2 },
  'one makes objects, one collects': { threads: [maker(2), collector], preemptions: 2 },
  'one makes an object, two collect': { threads: [maker(1), collector, collector], preemptions: 0 },
  'a mortal collects, one makes objects': { threads: [maker(2), mortal(collector)], deaths: 1, preemptions: 1 },
  'a mortal makes an object, one collects and one makes': {
    threads: [mortal(maker(1)), collector, maker(1)],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal holds what another uses, one collects, one reaps': {
    threads: [keeper, mortal(borrower), collectorThenReaper],
    deaths: 1,
    preemptions: 1,
  },
  'two drop an object at once': { threads: [sharer(1), holder], preemptions: 2, finally: isGone },
  'three drop an object at once': { threads: [sharer(2), holder, holder], preemptions: 1, finally: isGone },
  'a mortal holds what two others use, two reap': {
    threads: [keeper, mortal(borrower), reaper(1), reaper(1)],
    deaths: 1,
    preemptions: 0,
  },
  'a mortal holds, two reap': { threads: [mortal(maker(1)), reaper(1), reaper(1)], deaths: 1, preemptions: 0 },
  'a mortal reaps what a mortal held': {
    threads: [mortal(maker(1)), mortal(reaper(0)), reaper(1)],
    deaths: 2,
    preemptions: 0,
  },
  'a cycle, a collector, a maker': { threads: [cycler, collector, maker(1)], preemptions: 0 },
  'one sends, two receive the same': {
    threads: [sender, receiver, receiver],
    preemptions: 1,
    finally: (read) => (read(read(B) + COUNT) === read(C) ? undefined : `It arrived ${read(C)} times.`),
  },
  'one sends, one collects, one receives': {
    threads: [sender, collectorOnceSent, receiver],
    preemptions: 1,
    finally: (read) => (read(read(B) + COUNT) === 1 ? undefined : 'It is gone.'),
  },
  'a mortal sends, one receives, one makes': {
    threads: [mortal(sender), receiverOrNobody, maker(1)],
    deaths: 1,
    preemptions: 0,
  },
}

function isGone(read: (address: number) => number): string | undefined {
  return read(read(A) + TYPE) === 0 ? undefined : 'The object is still there.'
}

/** Of so many blocks that were taken, and so many of these given back, how many are neither in use nor free. */
function lostBlocks(read: (address: number) => number, taken: number, freed: number): string | undefined {
  let used = 0
  for (let page = HEAP_START; page < HEAP_START + 16 * PAGE_BYTES; page += PAGE_BYTES) {
    if (read(page + Page.size) === 0) continue
    let inUse = read(page + Page.used)
    for (let block = read(page + Page.remote); block !== 0; block = read(block)) inUse--
    used += inUse
  }
  return used === taken - freed ? undefined : `${used} blocks are in use, of ${taken} taken and ${freed} given back.`
}
