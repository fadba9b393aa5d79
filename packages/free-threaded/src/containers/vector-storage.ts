/**
 * The elements of a vector: cells one after another, with room at both ends.
 *
 *   store   +0 first: the index of the first element's cell   +4 end: of the cell behind the last   +8 room, in cells
 *           +16 cells
 *
 * Invariants
 * - The cells from `first` to `end` are the elements, and own what they say; what stands in others means nothing.
 * - Every change takes effect by one store: of an end, of a cell, or of the store's own address, when it is built anew
 *   in another block. So a thread that dies inside leaves a vector with the change, or without.
 * - What an element owns is stored, and let go of, in a section, or else a collection could come between.
 */
import { i32, u8 } from '@flatshare/core/internal'
import type { CellType, Owning } from '../cells/cell-type.js'
import { swapOwned } from '../cells/owning-cell.js'
import { allocateValue, enterHeap, freeValue, leaveHeap } from '../heap/index.js'
import { publishStore, STORE, storeOf, type Visitor, visitCell } from './storage.js'

const FIRST = 0
const END = 4
const ROOM = 8
const CELLS = 16

const LEAST_ROOM = 8
/** More elements than that have no addresses. */
const MOST_ROOM = 1 << 28

/** Vectors of one type of elements. `container` is the address of a vector's block, whose lock is held. */
export class VectorStorage {
  readonly type: CellType
  readonly #owning: Owning | undefined
  readonly #cellBytes: number

  constructor(type: CellType) {
    this.type = type
    this.#owning = type.owning
    this.#cellBytes = Math.ceil(type.bytes / type.align) * type.align
  }

  length(container: number): number {
    const store = storeOf(container)
    return store === 0 ? 0 : i32[(store + END) >> 2] - i32[(store + FIRST) >> 2]
  }

  /** The element at an index that exists. `cache` keeps what was decoded, one slot a cell. */
  read(container: number, index: number, cache: unknown[]): unknown {
    const store = storeOf(container)
    const at = i32[(store + FIRST) >> 2] + index
    const cell = this.#cell(store, at)
    return this.type.readCached ? this.type.readCached(cell, cache, at) : this.type.read(cell)
  }

  /** What is to be done with a value before `write`, `append` or `replace`. It may run the program's code. */
  prepare(value: unknown): unknown {
    return this.#owning ? this.#owning.prepare(value) : value
  }

  /** @throws HeapFullError; nothing has changed then. */
  write(container: number, index: number, prepared: unknown): void {
    const store = storeOf(container)
    const cell = this.#cell(store, i32[(store + FIRST) >> 2] + index)
    if (this.#owning) swapOwned(this.#owning, cell, prepared)
    else this.type.write(cell, prepared)
  }

  /** @throws HeapFullError; nothing has changed then. */
  append(container: number, prepared: unknown): void {
    let store = storeOf(container)
    if (store === 0 || i32[(store + END) >> 2] === i32[(store + ROOM) >> 2]) store = this.#grow(container, store, 0)
    const end = i32[(store + END) >> 2]
    this.#fill(store, end, prepared, (store + END) >> 2, end + 1)
  }

  /** As `append`, all or none. */
  appendAll(container: number, prepared: readonly unknown[]): void {
    let store = storeOf(container)
    const length = this.length(container)
    if (store === 0 || i32[(store + END) >> 2] + prepared.length > i32[(store + ROOM) >> 2]) {
      store = this.#move(container, store, Math.max(LEAST_ROOM, length * 2, length + prepared.length), 0)
    }
    const end = i32[(store + END) >> 2]
    enterHeap()
    try {
      this.#makeAll(store, end, prepared)
      i32[(store + END) >> 2] = end + prepared.length
    } finally {
      leaveHeap()
    }
  }

  /** @throws HeapFullError; nothing has changed then. */
  prepend(container: number, prepared: unknown): void {
    let store = storeOf(container)
    if (store === 0 || i32[(store + FIRST) >> 2] === 0) store = this.#grow(container, store, 1)
    const first = i32[(store + FIRST) >> 2] - 1
    this.#fill(store, first, prepared, (store + FIRST) >> 2, first)
  }

  /** Makes a cell whole, then an element by storing `value` in a word of the store. */
  #fill(store: number, at: number, prepared: unknown, word: number, value: number): void {
    const cell = this.#cell(store, at)
    if (this.#owning) {
      enterHeap()
      try {
        i32[cell >> 2] = this.#owning.make(prepared)
        i32[word] = value
      } finally {
        leaveHeap()
      }
    } else {
      this.type.write(cell, prepared)
      i32[word] = value
    }
  }

  removeLast(container: number): void {
    const store = storeOf(container)
    const last = i32[(store + END) >> 2] - 1
    this.#drop(store, last, (store + END) >> 2, last)
    this.#shrink(container, store)
  }

  removeFirst(container: number): void {
    const store = storeOf(container)
    const first = i32[(store + FIRST) >> 2]
    this.#drop(store, first, (store + FIRST) >> 2, first + 1)
    this.#shrink(container, store)
  }

  #drop(store: number, at: number, word: number, value: number): void {
    if (!this.#owning) {
      i32[word] = value
      return
    }
    enterHeap()
    try {
      i32[word] = value
      this.type.clear(this.#cell(store, at))
    } finally {
      leaveHeap()
    }
  }

  /**
   * Puts other elements in the place of `removed` ones from an index on.
   *
   * @throws HeapFullError; nothing has changed then.
   */
  replace(container: number, index: number, removed: number, prepared: readonly unknown[]): void {
    const from = storeOf(container)
    const length = this.length(container)
    const first = from === 0 ? 0 : i32[(from + FIRST) >> 2]
    const longer = length - removed + prepared.length
    const size = this.#cellBytes
    enterHeap()
    try {
      const store = this.#make(Math.max(LEAST_ROOM, longer), 0, longer)
      try {
        this.#makeAll(store, index, prepared)
      } catch (error) {
        freeValue(store)
        throw error
      }
      if (from !== 0) {
        const cells = this.#cell(from, first)
        u8.copyWithin(this.#cell(store, 0), cells, cells + index * size)
        const rest = this.#cell(store, index + prepared.length)
        u8.copyWithin(rest, cells + (index + removed) * size, cells + length * size)
      }
      this.#publish(container, store)
      if (from === 0) return
      if (this.#owning) for (let i = index; i < index + removed; i++) this.type.clear(this.#cell(from, first + i))
      freeValue(from)
    } finally {
      leaveHeap()
    }
  }

  /** Makes cells, all or none. In a section. */
  #makeAll(store: number, index: number, prepared: readonly unknown[]): void {
    const { type } = this
    let made = 0
    try {
      for (; made < prepared.length; made++) {
        const cell = this.#cell(store, index + made)
        if (this.#owning) i32[cell >> 2] = this.#owning.make(prepared[made])
        else type.write(cell, prepared[made])
      }
    } catch (error) {
      while (made-- > 0) type.clear(this.#cell(store, index + made))
      throw error
    }
  }

  /**
   * Gives the elements another order: `order[i]` is the index of the one that comes to index `i`.
   *
   * @throws HeapFullError; nothing has changed then.
   */
  reorder(container: number, order: ArrayLike<number>): void {
    const from = storeOf(container)
    if (from === 0) return
    const first = i32[(from + FIRST) >> 2]
    const size = this.#cellBytes
    enterHeap()
    try {
      const store = this.#make(Math.max(LEAST_ROOM, order.length), 0, order.length)
      for (let i = 0; i < order.length; i++) {
        const cell = this.#cell(from, first + order[i])
        u8.copyWithin(this.#cell(store, i), cell, cell + size)
      }
      this.#publish(container, store)
      freeValue(from)
    } finally {
      leaveHeap()
    }
  }

  /** Removes all, and gives the memory back. */
  clear(container: number): void {
    const store = storeOf(container)
    if (store === 0) return
    enterHeap()
    try {
      i32[(container + STORE) >> 2] = 0
      if (this.#owning) {
        const end = i32[(store + END) >> 2]
        for (let at = i32[(store + FIRST) >> 2]; at < end; at++) this.type.clear(this.#cell(store, at))
      }
      freeValue(store)
    } finally {
      leaveHeap()
    }
  }

  /** Tells of all that the container owns, its store last. Allocates nothing. */
  owned(container: number, visit: Visitor): void {
    const store = storeOf(container)
    if (store === 0) return
    if (this.#owning) {
      const end = i32[(store + END) >> 2]
      for (let at = i32[(store + FIRST) >> 2]; at < end; at++) visitCell(this.type, this.#cell(store, at), visit)
    }
    visit.value(store)
  }

  #cell(store: number, at: number): number {
    return store + CELLS + at * this.#cellBytes
  }

  #bytes(room: number): number {
    return CELLS + room * this.#cellBytes
  }

  /** A store whose elements are still to be filled in. In a section. */
  #make(room: number, first: number, end: number): number {
    if (room > MOST_ROOM) throw new RangeError(`A vector holds ${MOST_ROOM} elements at most.`)
    const store = allocateValue(this.#bytes(room))
    i32[(store + FIRST) >> 2] = first
    i32[(store + END) >> 2] = end
    i32[(store + ROOM) >> 2] = room
    return store
  }

  #publish(container: number, store: number): void {
    publishStore(container, store, this.#bytes(i32[(store + ROOM) >> 2]))
  }

  /** Moves the elements to a block with room for one more; in front of them, if `front` is 1. */
  #grow(container: number, from: number, front: 0 | 1): number {
    const length = this.length(container)
    // What a queue leaves in front of its elements is room again.
    const room = Math.max(LEAST_ROOM, length * 2)
    return this.#move(container, from, room, front === 1 ? room - length : 0)
  }

  #shrink(container: number, store: number): void {
    const room = i32[(store + ROOM) >> 2]
    const length = this.length(container)
    if (room <= LEAST_ROOM || length * 4 > room) return
    try {
      this.#move(container, store, Math.max(LEAST_ROOM, length * 2), 0)
    } catch {
      // It needs memory to need less. Where there is none it stays as it is.
    }
  }

  #move(container: number, from: number, room: number, first: number): number {
    const length = this.length(container)
    enterHeap()
    try {
      const store = this.#make(room, first, first + length)
      if (from !== 0) {
        const cells = this.#cell(from, i32[(from + FIRST) >> 2])
        u8.copyWithin(this.#cell(store, first), cells, cells + length * this.#cellBytes)
      }
      this.#publish(container, store)
      if (from !== 0) freeValue(from)
      return store
    } finally {
      leaveHeap()
    }
  }
}
