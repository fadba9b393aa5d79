import { makeLock } from '../../dist/lock.js'
import type { SyncMemory } from '../../dist/sync-memory.js'
import { makeWaitQueues } from '../../dist/wait-queue.js'
import { makeWaiting } from '../../dist/waiting.js'
import type { Engine } from './model.js'

/** The modules under test, as they are. */
export function makeEngine(memory: SyncMemory): Engine {
  const waiting = makeWaiting(makeWaitQueues(memory))
  return { waiting, lock: makeLock(waiting) }
}
