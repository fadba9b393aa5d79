/**
 * Who waits for a semaphore of `async-mutex`, in order: askers, who want to take something, and observers
 * (`waitForUnlock`), who want to be told when they could. All of it is used inside the semaphore's guard.
 *
 *   semaphore  +52 first asker   +56 one of the last askers   +60 first observer
 *
 *   record     +0 state   +4 thread   +8 its thread's account (0: an observer)   +12 its node   +16 next
 *              +20 weight   +28 priority   +36 the value before it was served
 *
 *   state      the record of one who waits
 *   NEW        is to be put into its list by the `serve` that `enqueue` calls
 *   WAITING    is in its list
 *   SERVED     has its weight; an observer: has been told
 *   CANCELED   gets nothing
 *
 * Askers stand in the order of their priorities, then of their coming, whatever thread they are of.
 * Observers stand in the order of their weights, the heaviest first, then as askers do. Each is put behind
 * the last one that has its priority or a higher one; where a priority is not a number, that is no order,
 * but it is what async-mutex does.
 *
 * Linking is one store, and so is unlinking. Invariants
 * - A record's node is linked before the record is in a list, and until its own thread has been told.
 * - From "one of the last askers" the last one is reached by `next`, unless there is none.
 */
import type { SyncMemory } from '../sync-memory.js'
import type { WaitNode } from '../wait-queue.js'
import { getNumber } from './float64.js'

const ASKERS = 52
const LAST_ASKER = 56
const OBSERVERS = 60

export const RECORD_BYTES = 48
export const STATE = 0
export const THREAD = 4
export const ACCOUNT = 8
export const NODE = 12
const NEXT = 16
export const WEIGHT = 20
export const PRIORITY = 28
export const BEFORE = 36

export const NEW = 0
export const WAITING = 1
export const SERVED = 2
export const CANCELED = 3

export type WaitLists = ReturnType<typeof makeWaitLists>

/** The lists over a memory. */
export function makeWaitLists(memory: SyncMemory) {
  function firstAsker(address: number): number {
    return reached(memory.get(address + ASKERS))
  }

  /** Whether an asker of this priority would be the first one. */
  function isFirst(address: number, priority: number): boolean {
    return predecessor(address, priority) === 0
  }

  /** Takes the first asker out, if it is this record. */
  function shift(address: number, record: number): void {
    if (memory.get(address + ASKERS) !== record) return
    const next = memory.get(record + NEXT)
    memory.set(address + ASKERS, next)
    // It may be behind its time: who died did not come to write it.
    if (next !== 0 && memory.get(address + LAST_ASKER) === record) memory.set(address + LAST_ASKER, next)
  }

  /** Puts a record into its list. */
  function putIn(address: number, record: number, node: WaitNode): void {
    memory.set(record + NODE, node)
    memory.set(record + STATE, WAITING)
    const priority = priorityOf(record)
    if (memory.get(record + ACCOUNT) === 0) {
      insert(record, placeOfObserver(address, getNumber(memory, record + WEIGHT), priority))
      return
    }
    const previous = predecessor(address, priority)
    if (memory.get(address + ASKERS) === 0) memory.set(address + LAST_ASKER, record)
    insert(record, previous === 0 ? address + ASKERS : previous + NEXT)
    if (memory.get(record + NEXT) === 0) memory.set(address + LAST_ASKER, record)
  }

  /** Links a record at the word that is to name it. */
  function insert(record: number, at: number): void {
    memory.set(record + NEXT, memory.get(at))
    memory.set(at, record)
  }

  /** The asker that one of this priority stands behind; 0 where that is nobody. */
  function predecessor(address: number, priority: number): number {
    const first = firstAsker(address)
    if (first === 0) return 0
    const last = lastFrom(reached(memory.get(address + LAST_ASKER)))
    if (priority <= priorityOf(last)) return last
    let found = 0
    for (let record = first; record !== 0; record = reached(memory.get(record + NEXT))) {
      if (priority <= priorityOf(record)) found = record
    }
    return found
  }

  /** The word that is to name an observer. */
  function placeOfObserver(address: number, weight: number, priority: number): number {
    let place = address + OBSERVERS
    for (let record = reached(memory.get(place)); record !== 0; record = reached(memory.get(record + NEXT))) {
      const other = getNumber(memory, record + WEIGHT)
      if (other < weight) break
      if (other > weight || priority <= priorityOf(record)) place = record + NEXT
    }
    return place
  }

  function lastFrom(start: number): number {
    for (let record = start; ; ) {
      const next = memory.get(record + NEXT)
      if (next === 0) return record
      record = reached(next)
    }
  }

  /** Takes the observers out for which there is enough, and who come before the first asker; gives each to `tell`. */
  function takeObservers(address: number, value: number, tell: (record: number) => void): void {
    const first = firstAsker(address)
    const limit = first === 0 ? undefined : priorityOf(first)
    let previous = address + OBSERVERS
    /** Of this weight, the rest have to wait. */
    let behind = Number.NaN
    for (let record = memory.get(previous); record !== 0; record = memory.get(previous)) {
      const weight = getNumber(memory, reached(record) + WEIGHT)
      if (limit !== undefined && priorityOf(record) <= limit) behind = weight
      if (weight <= value && weight !== behind) {
        // The state is the truth: who finds himself told, but not granted, takes himself out.
        memory.set(record + STATE, SERVED)
        memory.set(previous, memory.get(record + NEXT))
        tell(record)
      } else previous = record + NEXT
    }
  }

  /** Takes out those that are to go; says for each list which record is then the last one. */
  function remove(address: number, goes: (record: number) => boolean): void {
    memory.set(address + LAST_ASKER, removeFrom(address + ASKERS, goes))
    removeFrom(address + OBSERVERS, goes)
  }

  function removeFrom(list: number, goes: (record: number) => boolean): number {
    let last = 0
    let previous = list
    for (let record = memory.get(list); record !== 0; record = memory.get(previous)) {
      if (goes(reached(record))) memory.set(previous, memory.get(record + NEXT))
      else {
        last = record
        previous = record + NEXT
      }
    }
    return last
  }

  function priorityOf(record: number): number {
    return getNumber(memory, record + PRIORITY)
  }

  function reached(record: number): number {
    if (record !== 0) memory.reach(record + RECORD_BYTES)
    return record
  }

  return { firstAsker, isFirst, shift, putIn, takeObservers, remove, priorityOf }
}
