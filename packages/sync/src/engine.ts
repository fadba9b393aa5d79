/** The wait queues and the lock over the arena: one of each for a thread. */
import { makeLock } from './lock.js'
import { sharedMemory } from './sync-memory.js'
import { makeWaitQueues } from './wait-queue.js'
import { makeWaiting } from './waiting.js'

const queues = makeWaitQueues(sharedMemory)
export const waiting = makeWaiting(queues)
export const lock = makeLock(waiting)
