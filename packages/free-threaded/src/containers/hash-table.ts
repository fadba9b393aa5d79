/**
 * The table of maps and sets: entries that stand one after another in the order of their insertion, and buckets that
 * chain them. After "deterministic hash tables" (Tyler Close), which engines use for `Map`.
 *
 *   table   +0 mask: buckets - 1       +4 used: where the next entry goes    +8 count   +12 end of the entries
 *           +16 oldest  +20 latest (of a bounded table: ends of the list by use)
 *           +32 buckets, as many as entries have room; then the entries
 *   entry   +0 state  +4 next in its bucket  [+8 used before it  +12 used after it]  then its cells
 *
 * Chains and lists name an entry by its distance from the table, 0 for none.
 *
 *   state   the entry                          its cells
 *   < 0     is in; the state is its hash        own what they say
 *   FREE    was never used                      nothing: zero
 *   DEAD    was deleted                         nothing: zero
 *
 * A table whose room is used up is rebuilt with as much room as its entries need, in another block; so is one that has
 * become four times too large.
 *
 * Invariants
 * - The entries' states and cells are the truth. All else follows from them, and `mend` works it out anew after a
 *   thread died inside.
 * - A new entry's state is stored when its cells are whole; a deleted one's before its cells are let go of. So a death
 *   leaves each entry in or out, and at most cells of an entry that is out unzeroed: `mend` zeroes them.
 * - What an entry owns is let go of, and stored, in a section, or else a collection could come between.
 */
import { i32, u8 } from '@flatshare/core/internal'
import type { CellType, Owning } from '../cells/cell-type.js'
import { swapOwned } from '../cells/owning-cell.js'
import { allocateValue, enterHeap, freeValue, leaveHeap } from '../heap/index.js'
import { copyWords, LIMIT, publishStore, STORE, storeOf, type Visitor, visitCell } from './storage.js'
import {
  append,
  BUCKETS,
  COUNT,
  END,
  firstEntry,
  LATEST,
  MASK,
  moveList,
  NEXT,
  OLDEST,
  START,
  USED,
  unlink,
} from './table-words.js'

const DEAD = 1
const IS_IN = 0x80000000 | 0

const LEAST_ROOM = 4
/** More entries than that have no addresses. */
const MOST_ROOM = 1 << 26

/** Tables whose keys and values are of the same types. `container` is the address of a map's or set's block, whose lock is held. */
export class HashTable {
  readonly key: CellType
  /** Undefined for a set. */
  readonly value: CellType | undefined
  readonly #bounded: boolean
  readonly #valueOwning: Owning | undefined
  readonly #owns: boolean
  readonly #keyAt: number
  readonly #valueAt: number
  readonly #entryBytes: number

  constructor(key: CellType, value: CellType | undefined, bounded: boolean) {
    this.key = key
    this.value = value
    this.#bounded = bounded
    this.#valueOwning = value?.owning
    this.#owns = key.owns !== 'nothing' || (value !== undefined && value.owns !== 'nothing')
    const start = bounded ? START.bounded : START.unbounded
    const valueFirst = value !== undefined && value.align > key.align
    this.#keyAt = valueFirst ? start + value.bytes : start
    this.#valueAt = valueFirst || !value ? start : Math.ceil((start + key.bytes) / value.align) * value.align
    const end = Math.max(this.#keyAt + key.bytes, this.#valueAt + (value?.bytes ?? 0))
    const align = Math.max(4, key.align, value?.align ?? 1)
    this.#entryBytes = Math.ceil(end / align) * align
  }

  /** The state of an entry with this key. */
  stateOf(key: unknown): number {
    return this.key.hash!(key) | IS_IN
  }

  /** As `find`, for what may be no key. */
  entryOf(container: number, key: unknown): number {
    return this.key.takes(key) ? this.find(container, key, this.stateOf(key)) : 0
  }

  /** The address of the entry with this key; 0 where there is none. */
  find(container: number, key: unknown, state: number): number {
    const table = storeOf(container)
    if (table === 0) return 0
    let at = i32[(table + BUCKETS + (state & i32[(table + MASK) >> 2]) * 4) >> 2]
    while (at !== 0) {
      const entry = table + at
      if (i32[entry >> 2] === state && this.key.equalsAt!(entry + this.#keyAt, key)) return entry
      at = i32[(entry + NEXT) >> 2]
    }
    return 0
  }

  readKey(entry: number): unknown {
    return this.key.read(entry + this.#keyAt)
  }

  /** `cache` keeps what was decoded, one slot an entry. */
  readValue(container: number, entry: number, cache: unknown[]): unknown {
    const type = this.value!
    if (!type.readCached) return type.read(entry + this.#valueAt)
    const table = i32[(container + STORE) >> 2]
    const index = (entry - table - firstEntry(table)) / this.#entryBytes
    return type.readCached(entry + this.#valueAt, cache, index)
  }

  count(container: number): number {
    const table = storeOf(container)
    return table === 0 ? 0 : i32[(table + COUNT) >> 2]
  }

  /** Addresses of all entries, oldest first. Call `next` with 0, then with what it gave, until that is 0. */
  next(container: number, entry: number): number {
    const table = storeOf(container)
    if (table === 0) return 0
    const end = table + i32[(table + USED) >> 2]
    let at = entry === 0 ? table + firstEntry(table) : entry + this.#entryBytes
    while (at < end && i32[at >> 2] >= 0) at += this.#entryBytes
    return at < end ? at : 0
  }

  /**
   * Sets a key to a value, both of which their types take; gives the entry.
   *
   * @throws HeapFullError, or what the value's type throws; nothing has changed then.
   */
  set(container: number, key: unknown, value: unknown): number {
    // First, since it may run the program's code, which may come back to this container.
    const prepared = this.#valueOwning ? this.#valueOwning.prepare(value) : value
    const state = this.stateOf(key)
    const entry = this.find(container, key, state)
    if (entry === 0) return this.#add(container, key, state, prepared)
    if (this.#valueOwning) swapOwned(this.#valueOwning, entry + this.#valueAt, prepared)
    else this.value?.write(entry + this.#valueAt, value)
    if (this.#bounded) this.touch(container, entry)
    return entry
  }

  #add(container: number, givenKey: unknown, state: number, value: unknown): number {
    const table = this.#room(container)
    const at = i32[(table + USED) >> 2]
    const entry = table + at
    // As in a Map.
    const key = Object.is(givenKey, -0) ? 0 : givenKey
    if (this.#owns) this.#fillOwning(container, table, entry, key, value, state)
    else {
      this.key.write(entry + this.#keyAt, key)
      this.value?.write(entry + this.#valueAt, value)
      if (this.#bounded) this.#evict(container, table)
      i32[entry >> 2] = state
    }
    i32[(table + USED) >> 2] = at + this.#entryBytes
    i32[(table + COUNT) >> 2]++
    this.#link(table, at, state)
    if (this.#bounded) append(table, at)
    return entry
  }
  #fillOwning(container: number, table: number, entry: number, key: unknown, value: unknown, state: number): void {
    const { key: type, value: valueType } = this
    const preparedKey = type.owning?.prepare(key)
    enterHeap()
    try {
      const keyContent = type.owning ? type.owning.make(preparedKey) : 0
      const valueContent = this.#makeValue(value, keyContent)
      if (type.owning) i32[(entry + this.#keyAt) >> 2] = keyContent
      else type.write(entry + this.#keyAt, key)
      if (this.#valueOwning) i32[(entry + this.#valueAt) >> 2] = valueContent
      else valueType?.write(entry + this.#valueAt, value)
      if (this.#bounded) this.#evict(container, table)
      i32[entry >> 2] = state
    } finally {
      leaveHeap()
    }
  }

  #makeValue(prepared: unknown, keyContent: number): number {
    if (!this.#valueOwning) return 0
    try {
      return this.#valueOwning.make(prepared)
    } catch (error) {
      this.key.owning?.drop(keyContent)
      throw error
    }
  }

  /** Removes what was not used for longest, where one more would be too many. */
  #evict(container: number, table: number): void {
    if (i32[(table + COUNT) >> 2] < i32[(container + LIMIT) >> 2]) return
    this.#remove(table, table + i32[(table + OLDEST) >> 2])
  }

  delete(container: number, entry: number): void {
    const table = i32[(container + STORE) >> 2]
    this.#remove(table, entry)
    const room = i32[(table + MASK) >> 2] + 1
    if (room <= LEAST_ROOM || i32[(table + COUNT) >> 2] * 4 > room) return
    try {
      this.#rebuild(container, table, room >> 1)
    } catch {
      // It needs memory to need less. Where there is none it stays as it is.
    }
  }

  #remove(table: number, entry: number): void {
    if (this.#owns) {
      enterHeap()
      try {
        i32[entry >> 2] = DEAD
        this.#letGo(entry)
      } finally {
        leaveHeap()
      }
    } else i32[entry >> 2] = DEAD
    i32[(table + COUNT) >> 2]--
    if (this.#bounded) unlink(table, entry - table)
  }

  #letGo(entry: number): void {
    this.key.clear(entry + this.#keyAt)
    this.value?.clear(entry + this.#valueAt)
  }

  /** Removes all, and gives the memory back. */
  clear(container: number): void {
    const table = storeOf(container)
    if (table === 0) return
    enterHeap()
    try {
      i32[(container + STORE) >> 2] = 0
      if (this.#owns) {
        const end = table + i32[(table + USED) >> 2]
        for (let entry = table + firstEntry(table); entry < end; entry += this.#entryBytes) {
          if (i32[entry >> 2] < 0) this.#letGo(entry)
        }
      }
      freeValue(table)
    } finally {
      leaveHeap()
    }
  }

  /** Notes that an entry of a bounded table was used just now. */
  touch(container: number, entry: number): void {
    if (!this.#bounded) return
    const table = i32[(container + STORE) >> 2]
    const at = entry - table
    if (i32[(table + LATEST) >> 2] === at) return
    unlink(table, at)
    append(table, at)
  }

  /** The table, with room for one more entry. */
  #room(container: number): number {
    const table = storeOf(container)
    if (table === 0) return this.#rebuild(container, 0, LEAST_ROOM)
    if (i32[(table + USED) >> 2] < i32[(table + END) >> 2]) return table
    const room = i32[(table + MASK) >> 2] + 1
    return this.#rebuild(container, table, i32[(table + COUNT) >> 2] * 2 > room ? room * 2 : room)
  }

  /** Copies the entries to a new table, in a block of its own, and frees the old one. */
  #rebuild(container: number, from: number, room: number): number {
    if (room > MOST_ROOM) throw new RangeError(`A container holds ${MOST_ROOM} entries at most.`)
    const size = this.#entryBytes
    const first = BUCKETS + room * 4
    const bytes = first + room * size
    enterHeap()
    try {
      const table = allocateValue(bytes)
      u8.fill(0, table, table + bytes)
      i32[(table + MASK) >> 2] = room - 1
      i32[(table + END) >> 2] = bytes
      let at = first
      if (from !== 0) {
        const end = from + i32[(from + USED) >> 2]
        for (let entry = from + firstEntry(from); entry < end; entry += size) {
          const state = i32[entry >> 2]
          if (state >= 0) continue
          copyWords(entry, table + at, size)
          this.#link(table, at, state)
          // The old chains are of no use any more: where the entry has gone stands there, for the list by use.
          if (this.#bounded) i32[(entry + NEXT) >> 2] = at
          at += size
        }
        i32[(table + COUNT) >> 2] = i32[(from + COUNT) >> 2]
        if (this.#bounded) moveList(from, table)
      }
      i32[(table + USED) >> 2] = at
      publishStore(container, table, bytes)
      if (from !== 0) freeValue(from)
      return table
    } finally {
      leaveHeap()
    }
  }

  #link(table: number, at: number, state: number): void {
    const bucket = (table + BUCKETS + (state & i32[(table + MASK) >> 2]) * 4) >> 2
    i32[(table + at + NEXT) >> 2] = i32[bucket]
    i32[bucket] = at
  }

  /** Makes whole what a thread left that died inside. It loses no entry; which was used last, it doesn't know any more. */
  mend(container: number): void {
    const table = storeOf(container)
    if (table === 0) return
    const first = firstEntry(table)
    const end = i32[(table + END) >> 2]
    u8.fill(0, table + BUCKETS, table + first)
    i32[(table + OLDEST) >> 2] = 0
    i32[(table + LATEST) >> 2] = 0
    let used = first
    let count = 0
    for (let at = first; at < end; at += this.#entryBytes) {
      const entry = table + at
      const state = i32[entry >> 2]
      if (state >= 0) {
        u8.fill(0, entry, entry + this.#entryBytes)
        i32[entry >> 2] = DEAD
        continue
      }
      count++
      used = at + this.#entryBytes
      this.#link(table, at, state)
      if (this.#bounded) append(table, at)
    }
    for (let at = used; at < end; at += this.#entryBytes) i32[(table + at) >> 2] = 0
    i32[(table + COUNT) >> 2] = count
    i32[(table + USED) >> 2] = used
  }

  /** Tells of all that the container owns, its table last. Allocates nothing. */
  owned(container: number, visit: Visitor): void {
    const table = storeOf(container)
    if (table === 0) return
    if (this.#owns) {
      const end = table + i32[(table + END) >> 2]
      for (let entry = table + firstEntry(table); entry < end; entry += this.#entryBytes) {
        if (i32[entry >> 2] >= 0) continue
        visitCell(this.key, entry + this.#keyAt, visit)
        if (this.value) visitCell(this.value, entry + this.#valueAt, visit)
      }
    }
    visit.value(table)
  }
}
