/**
 * Cycles of threads that block on each other's locks.
 *
 * A thread announces what it parks on before it sleeps, then walks: who holds this lock, what is that
 * thread parked on, who holds that … Of the threads that close a cycle, the one that announced last finds
 * all others announced; so at least one finds it.
 *
 * What it read link by link need never have been true at one time. It is, if a second look finds the
 * same: each thread still in the very wait (`timesParked`) that it was in, and each lock still held as it
 * was. A parked thread releases nothing, so between the two looks all links held together: nobody is
 * accused who isn't in a cycle.
 */
import { OWNER_DIED, OWNER_MASK, type ThreadId } from '@flatshare/core/internal'
import type { LockMemory } from './lock-memory.js'

/** A thread and the lock that it waits for; the next link's thread holds that, the first's the last one's. */
export interface CycleLink {
  readonly thread: ThreadId
  readonly address: number
  /** What the thread says it waits for. */
  readonly what: string
}

/** The cycle that `me`, which has announced that it parks at `address`, closes; undefined where it closes none. */
export function findCycle(
  memory: LockMemory,
  me: ThreadId,
  address: number,
  what: () => string,
): readonly CycleLink[] | undefined {
  const waits = [{ thread: me, address, serial: 0 }]
  for (let at = address; ; ) {
    const word = memory.loadAnywhere(at)
    const holder = word & OWNER_MASK
    if (holder === me) break
    // Free, or soon to be; or a cycle that this thread only waits upon.
    if (holder === 0 || word & OWNER_DIED || waits.some((wait) => wait.thread === holder)) return undefined
    const serial = memory.timesParked(holder)
    at = memory.parkedOnOwner(holder)
    if (at === 0 || !memory.isAlive(holder)) return undefined
    waits.push({ thread: holder, address: at, serial })
  }
  const cycle = waits.map((wait, i) => ({
    thread: wait.thread,
    address: wait.address,
    what: i === 0 ? what() : memory.waitNote(wait.thread),
  }))
  const stands = waits.every(
    ({ thread, address, serial }, i) =>
      (memory.loadAnywhere(address) & OWNER_MASK) === waits[(i + 1) % waits.length]!.thread &&
      (i === 0 || (memory.parkedOnOwner(thread) === address && memory.timesParked(thread) === serial)),
  )
  return stands ? cycle : undefined
}
