/**
 * Who reads: for each thread that reads under a lock, one record, which only that thread writes.
 *
 *   head     at an address of the lock: the first record, 0 without one
 *   record   +0 thread   +4 count: how many reads it holds   +8 next   +12 whether it waits, blocked, to write
 *
 * A record has a cache line of its own, so threads that read at once touch nothing in common but words that
 * they only load: what one pays for a read doesn't depend on how many others read.
 *
 * Invariants
 * - A record is on its list for ever; a dead thread's one goes to a thread that has none.
 * - It counts while its thread lives. So nothing has to be done where a reader dies.
 * - Records are taken over inside the guard of the lock's queue, with a count of zero before the thread's id.
 */
import type { ThreadId } from '@flatshare/core'
import type { SyncMemory } from './sync-memory.js'

/** The address of a record. */
export type ReaderRecord = number

const THREAD = 0
const COUNT = 4
const NEXT = 8
const UPGRADING = 12
const BYTES = 16

/** What separates words that must not slow each other down. */
export const CACHE_LINE = 64

/** So many bytes hold one that begins at `alignedTo(line)`; blocks of the arena begin at multiples of 16. */
export const bytesAligned = (line: number): number => 2 * line - 16

/** The first address from here on at which a cache line begins. */
export const alignedTo = (address: number, line: number): number => (address + line - 1) & -line

/** A living thread that reads. */
export interface Reading {
  readonly thread: ThreadId
  /** How many reads it holds. */
  readonly count: number
  /** Whether it waits, blocked, to write instead. */
  readonly upgrading: boolean
}

export type ReaderRecords = ReturnType<typeof makeReaderRecords>

/** The records of a memory; `head` is where a list's begins, `line` the size of a cache line. */
export function makeReaderRecords(memory: SyncMemory, line: number = CACHE_LINE) {
  function next(at: number): ReaderRecord {
    const record = memory.load(at)
    if (record !== 0) memory.reach(record + BYTES)
    return record
  }

  /** This thread's record; 0 if it has none. */
  function find(head: number): ReaderRecord {
    const me = memory.ownThreadId()
    let record = next(head)
    while (record !== 0 && memory.load(record + THREAD) !== me) record = next(record + NEXT)
    return record
  }

  /** Takes over a dead thread's record for this thread, which has none; 0 where there is none. Inside the guard. */
  function takeOver(head: number): ReaderRecord {
    let record = next(head)
    while (record !== 0 && memory.isAlive(memory.load(record + THREAD))) record = next(record + NEXT)
    if (record === 0) return 0
    memory.store(record + COUNT, 0)
    memory.store(record + UPGRADING, 0)
    memory.store(record + THREAD, memory.ownThreadId())
    return record
  }

  /** Makes a record for this thread, which has none. */
  function make(head: number): ReaderRecord {
    const record = alignedTo(memory.allocate(bytesAligned(line)), line)
    memory.store(record + THREAD, memory.ownThreadId())
    for (;;) {
      const first = memory.load(head)
      memory.store(record + NEXT, first)
      if (memory.compareExchange(head, first, record) === first) return record
    }
  }

  /** Whether a living thread reads, apart from one read of the thread whose record is `except`. */
  function isRead(head: number, except: ReaderRecord = 0): boolean {
    for (let record = next(head); record !== 0; record = next(record + NEXT)) {
      const least = record === except ? 1 : 0
      if (memory.load(record + COUNT) > least && memory.isAlive(memory.load(record + THREAD))) return true
    }
    return false
  }

  /** The living threads that read, and how often. */
  function* reading(head: number): Generator<Reading> {
    for (let record = next(head); record !== 0; record = next(record + NEXT)) {
      const count = memory.load(record + COUNT)
      const thread = memory.load(record + THREAD)
      if (count > 0 && memory.isAlive(thread)) yield { thread, count, upgrading: memory.load(record + UPGRADING) === 1 }
    }
  }

  return {
    find,
    takeOver,
    make,
    isRead,
    reading,
    count: (record: ReaderRecord): number => memory.load(record + COUNT),
    add: (record: ReaderRecord, delta: number): void => memory.add(record + COUNT, delta),
    setUpgrading: (record: ReaderRecord, upgrading: boolean): void =>
      memory.store(record + UPGRADING, upgrading ? 1 : 0),
  }
}
