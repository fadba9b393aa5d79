/**
 * Blocks of the heap: small ones in pages, by size and kind; large ones each on its own.
 *
 * A page belongs to one thread, which alone takes blocks from it. Blocks that other threads free wait on a list of
 * their own until the owner looks for space. A dead thread's pages go to whoever needs one like them.
 *
 *   page   +0 owner   +4 size of its blocks, 0: free page   +8 kind   +12 free blocks: the first   +16 freed by others: the first
 *          +20 blocks in use, those freed by others included   +24 where the never-used part begins
 *          +28 next free page   +32 how many were freed by others   +64 blocks
 *   large  +0 next   +4 previous   +8 bytes in all   +12 its own address, as a mark   +16 what its user sees
 *
 *   block              who may change it to
 *   never used, free   in use: its page's owner
 *   in use             free: the owner; freed by others: any other thread
 *   freed by others    free: the owner
 *   any                free: the collector, while nobody is in a section (see `sections.ts`)
 *
 * Invariants
 * - Every list changes by one store, made last: a thread that dies leaves it whole, and may lose a block. A block is
 *   never on two lists. What is lost the next collection finds.
 * - All of this runs inside a section.
 * - A free block begins with the address of the next one; one of an object has type 0, too.
 *
 * After mimalloc (Leijen, Zorn, de Moura 2019): pages of one size with an owner, and a list apart for the others.
 */
import { TYPE } from './block.js'
import { Control, type HeapControl, MOST_PAGES } from './control.js'
import { HeapFullError } from './heap-full-error.js'
import type { HeapMemory } from './heap-memory.js'
import { bytesOf, classOf, MOST_SMALL, SIZE_CLASSES } from './size-classes.js'

export const KIND_OBJECT = 1
export const KIND_VALUE = 2
export type BlockKind = typeof KIND_OBJECT | typeof KIND_VALUE

export const Page = {
  owner: 0,
  size: 4,
  kind: 8,
  free: 12,
  remote: 16,
  used: 20,
  fresh: 24,
  next: 28,
  remoteCount: 32,
  blocks: 64,
} as const

/** A segment of two pages has one that begins where a page may. */
const LEAST_PAGES = 2

const Large = { next: 0, previous: 4, bytes: 8, mark: 12, content: 16 } as const

export type HeapPages = ReturnType<typeof makePages>

/** `onGrowth` is called, inside the section, when the heap has taken more memory. */
export function makePages(memory: HeapMemory, control: HeapControl, onGrowth: () => void = () => {}) {
  const { pageBytes } = memory
  const pageMask = -pageBytes
  const pageShift = 31 - Math.clz32(pageBytes)
  /** By kind and size: the page that blocks are taken from, and all that this thread has. */
  const current: number[] = new Array<number>(2 * SIZE_CLASSES).fill(0)
  const own: number[][] = Array.from(current, () => [])
  let deathsSeen = 0
  let collectionsSeen = 0

  /**
   * A block of at least so many bytes, as it was left by its last user.
   *
   * @throws HeapFullError
   */
  function allocate(kind: BlockKind, bytes: number): number {
    if (bytes > MOST_SMALL) return allocateLarge(bytes)
    const index = (kind - 1) * SIZE_CLASSES + classOf(bytes)
    const page = current[index]!
    if (page !== 0) {
      const block = take(page)
      if (block !== 0) return block
    }
    return allocateSlowly(kind, index)
  }

  function take(page: number): number {
    const block = memory.get(page + Page.free)
    if (block !== 0) {
      memory.set(page + Page.free, memory.get(block))
      memory.set(page + Page.used, memory.get(page + Page.used) + 1)
      return block
    }
    const fresh = memory.get(page + Page.fresh)
    const end = fresh + memory.get(page + Page.size)
    if (end > page + pageBytes) return 0
    memory.set(page + Page.fresh, end)
    memory.set(page + Page.used, memory.get(page + Page.used) + 1)
    return fresh
  }

  function allocateSlowly(kind: BlockKind, index: number): number {
    if (collectionsSeen !== memory.load(control.at() + Control.collections)) tidy()
    for (const page of own[index]!) {
      if (memory.load(page + Page.remote) !== 0) takeBack(page)
      const block = take(page)
      if (block === 0) continue
      current[index] = page
      return block
    }
    control.enter()
    try {
      adoptPages()
      const adopted = own[index]!.find((page) => memory.get(page + Page.free) !== 0)
      return take((current[index] = adopted ?? newPage(kind, index)))
    } finally {
      control.leave()
    }
  }

  /** Makes the owner's what others have freed. */
  function takeBack(page: number): void {
    let last = memory.exchange(page + Page.remote, 0)
    if (last === 0) return
    let count = 1
    const first = last
    for (let next = memory.get(last); next !== 0; next = memory.get(last)) {
      last = next
      count++
    }
    memory.set(last, memory.get(page + Page.free))
    memory.set(page + Page.free, first)
    memory.add(page + Page.remoteCount, -count)
    memory.set(page + Page.used, memory.get(page + Page.used) - count)
  }

  /** Inside the guard: the pages of threads that have ended become this one's. */
  function adoptPages(): void {
    const deaths = memory.deaths()
    if (deaths === deathsSeen) return
    deathsSeen = deaths
    const me = memory.ownThreadId()
    for (const page of pages()) {
      const owner = memory.load(page + Page.owner)
      if (memory.get(page + Page.size) === 0 || owner === me || memory.isAlive(owner)) continue
      memory.store(page + Page.owner, me)
      own[indexOf(page)]!.push(page)
      takeBack(page)
    }
  }

  const indexOf = (page: number) =>
    (memory.get(page + Page.kind) - 1) * SIZE_CLASSES + classOf(memory.get(page + Page.size))

  function newPage(kind: BlockKind, index: number): number {
    const head = control.at() + Control.freePages
    if (memory.get(head) === 0) newSegment()
    const page = memory.get(head)
    memory.reach(page + pageBytes)
    memory.set(page + Page.free, 0)
    memory.store(page + Page.remote, 0)
    memory.store(page + Page.remoteCount, 0)
    memory.set(page + Page.used, 0)
    memory.set(page + Page.fresh, page + Page.blocks)
    memory.set(page + Page.kind, kind)
    memory.store(page + Page.owner, memory.ownThreadId())
    const next = memory.get(page + Page.next)
    memory.store(head, next)
    // Last: until now it is a free page, which nobody finds on the list.
    memory.store(page + Page.size, bytesOf(index % SIZE_CLASSES))
    own[index]!.push(page)
    return page
  }

  /** As many pages as there is room for. */
  function newSegment(): void {
    let count = memory.segmentPages
    let start = 0
    while (start === 0) {
      try {
        start = allocateOutside(count * pageBytes)
      } catch (error) {
        if (!(error instanceof HeapFullError) || count <= LEAST_PAGES) throw error
        count >>= 1
      }
    }
    const bytes = count * pageBytes
    const first = (start + pageBytes - 1) & pageMask
    for (let page = first; page + pageBytes <= start + bytes; page += pageBytes) {
      memory.store(page + Page.size, 0)
      memory.store(page + Page.next, memory.get(control.at() + Control.freePages))
      const bits = control.at() + Control.pageBits + ((page >> pageShift) >> 5) * 4
      memory.store(bits, memory.get(bits) | (1 << ((page >> pageShift) & 31)))
      memory.store(control.at() + Control.freePages, page)
    }
  }

  function allocateOutside(bytes: number): number {
    const address = memory.allocate(bytes)
    memory.add(control.at() + Control.grown, bytes >> 4)
    onGrowth()
    return address
  }

  /** Inside the guard: a page without blocks in use becomes anybody's. */
  function giveBack(page: number): void {
    memory.store(page + Page.size, 0)
    memory.store(page + Page.owner, 0)
    memory.set(page + Page.next, memory.get(control.at() + Control.freePages))
    memory.store(control.at() + Control.freePages, page)
  }

  /** Gives back this thread's empty pages, after a collection. */
  function tidy(): void {
    collectionsSeen = memory.load(control.at() + Control.collections)
    control.enter()
    for (const [index, pages] of own.entries()) {
      own[index] = pages.filter((page) => {
        if (memory.load(page + Page.remote) !== 0) takeBack(page)
        if (memory.get(page + Page.used) !== 0 || page === current[index]) return true
        giveBack(page)
        return false
      })
    }
    control.leave()
  }

  function free(address: number): void {
    const page = address & pageMask
    if (!isPage(page)) {
      freeLarge(address)
      return
    }
    memory.reach(page + pageBytes)
    if (memory.get(page + Page.kind) === KIND_OBJECT) memory.set(address + TYPE, 0)
    if (memory.load(page + Page.owner) !== memory.ownThreadId()) {
      for (;;) {
        const head = memory.load(page + Page.remote)
        memory.set(address, head)
        if (memory.compareExchange(page + Page.remote, head, address) === head) break
      }
      memory.add(page + Page.remoteCount, 1)
      return
    }
    memory.set(address, memory.get(page + Page.free))
    memory.set(page + Page.free, address)
    const used = memory.get(page + Page.used) - 1
    memory.set(page + Page.used, used)
    if (used === 0) freePage(page)
  }

  /** An own page has become empty. One of its kind is kept, to take from. */
  function freePage(page: number): void {
    const index = indexOf(page)
    if (page === current[index]) return
    own[index]!.splice(own[index]!.indexOf(page), 1)
    control.enter()
    giveBack(page)
    control.leave()
  }

  function allocateLarge(bytes: number): number {
    const all = bytes + Large.content
    control.enter()
    try {
      const block = allocateOutside(all)
      const head = control.at() + Control.large
      const next = memory.get(head)
      memory.set(block + Large.bytes, all)
      memory.set(block + Large.next, next)
      memory.set(block + Large.previous, 0)
      memory.store(block + Large.mark, block)
      if (next !== 0) {
        memory.reach(next + Large.content)
        memory.set(next + Large.previous, block)
      }
      memory.store(head, block)
      return block + Large.content
    } finally {
      control.leave()
    }
  }

  function freeLarge(address: number): void {
    const block = address - Large.content
    memory.reach(address)
    if (memory.get(block + Large.mark) !== block) throw new Error(`No block of the heap begins at ${address}.`)
    control.enter()
    const next = memory.get(block + Large.next)
    const previous = memory.get(block + Large.previous)
    memory.reach(Math.max(next, previous) + Large.content)
    // The list is followed by `next` alone: that is taken out first.
    memory.store(previous === 0 ? control.at() + Control.large : previous + Large.next, next)
    if (next !== 0) memory.set(next + Large.previous, previous)
    const bytes = memory.get(block + Large.bytes)
    memory.store(block + Large.mark, 0)
    memory.free(block, bytes)
    memory.add(control.at() + Control.grown, -(bytes >> 4))
    control.leave()
  }

  /** Whether a page of the heap begins at an address, be it a free one. */
  function isPage(page: number): boolean {
    const number = page >> pageShift
    if (number < 0 || number >= MOST_PAGES) return false
    return ((memory.load(control.at() + Control.pageBits + (number >> 5) * 4) >>> (number & 31)) & 1) === 1
  }

  /** All pages of the heap, free ones too. */
  function* pages(): Generator<number> {
    for (let word = 0; word < MOST_PAGES / 32; word++) {
      const bits = memory.load(control.at() + Control.pageBits + word * 4)
      if (bits === 0) continue
      for (let bit = 0; bit < 32; bit++) {
        if (((bits >>> bit) & 1) === 0) continue
        const page = (word * 32 + bit) << pageShift
        memory.reach(page + pageBytes)
        yield page
      }
    }
  }

  /** The large blocks, as their users know them. */
  function* largeBlocks(): Generator<number> {
    let block = memory.load(control.at() + Control.large)
    while (block !== 0) {
      memory.reach(block + Large.content)
      const next = memory.get(block + Large.next)
      yield block + Large.content
      block = next
    }
  }

  /** How many bytes a block has room for. Its page, or the large block, is in this thread's views then. */
  function capacity(address: number): number {
    const page = address & pageMask
    memory.reach(address + Large.content)
    if (isPage(page)) return memory.get(page + Page.size)
    const bytes = memory.get(address - Large.content + Large.bytes) - Large.content
    memory.reach(address + bytes)
    return bytes
  }

  /** Whether a block of an object, free or not, begins at what may be any number. */
  function isObjectBlock(address: number): boolean {
    if (!Number.isSafeInteger(address) || address <= 0) return false
    const page = address & pageMask
    if (address >= MOST_PAGES * pageBytes || !isPage(page)) return false
    memory.reach(page + pageBytes)
    const size = memory.load(page + Page.size)
    const offset = address - page - Page.blocks
    return (
      size !== 0 &&
      memory.get(page + Page.kind) === KIND_OBJECT &&
      offset >= 0 &&
      offset % size === 0 &&
      address + size <= memory.load(page + Page.fresh)
    )
  }

  return { allocate, free, pages, largeBlocks, capacity, isPage, isObjectBlock, pageMask, freeLarge, giveBack }
}
