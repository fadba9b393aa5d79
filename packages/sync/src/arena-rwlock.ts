/** The lock of `rwlock-core.ts` at any address of the arena, with promises for its asynchronous side. */
import { awaitGrant } from './await-grant.js'
import { waiting } from './engine.js'
import type { Outcome } from './lock.js'
import type { ReaderRecord } from './reader-records.js'
import { makeRwLock, type RwLockWaiter } from './rwlock-core.js'
import { sharedMemory } from './sync-memory.js'
import type { WaitNode } from './wait-queue.js'

/** What a reader record takes where it shares its cache line with others. */
const RECORD_BYTES = 16

/**
 * The lock, with 16 bytes for each thread that reads by it. These come from `allocateRecord`, zeroed, at multiples of
 * 16; whoever frees the lock frees them.
 */
export function makeArenaRwLock(allocateRecord: (bytes: number) => number) {
  const core = makeRwLock(waiting, RECORD_BYTES, { ...sharedMemory, allocate: allocateRecord })
  const wait = (address: number, what: () => string, enqueue: (waiter: RwLockWaiter) => WaitNode): Promise<Outcome> =>
    awaitGrant<Outcome>({ enqueue, timedOut: (timeout) => core.timedOut(address, timeout, what()) })

  return {
    recordOf: core.recordOf,
    readsOf: core.readsOf,
    readSync: core.readSync,
    releaseRead: core.releaseRead,
    isRead: core.isRead,
    tryWrite: core.tryWrite,
    writeSync: core.writeSync,
    writeSyncWithWord: core.writeSyncWithWord,
    releaseWrite: core.releaseWrite,

    /** Reads, without blocking; with `again` also before writers that wait, if this thread reads already. */
    async read(address: number, record: ReaderRecord, again: boolean, what: () => string): Promise<Outcome> {
      const outcome = core.tryRead(address, record, again)
      if (outcome !== 'held') return outcome
      return wait(address, what, (waiter) => core.enqueueRead(address, record, waiter))
    },

    /** Writes, without blocking. */
    async write(address: number, what: () => string): Promise<Outcome> {
      const outcome = core.tryWrite(address)
      if (outcome !== 'held') return outcome
      return wait(address, what, (waiter) => core.enqueueWrite(address, waiter))
    },
  }
}
