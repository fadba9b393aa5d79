/** What the threads of `storm.ts` share. */
import type { Mutex, RwLock, Semaphore } from '@flatshare/sync'

export const THREADS = 4
export const MUTEXES = 3
export const RWLOCKS = 2
export const PERMITS = 3

/** Indices of the cells that the threads share. A pair is equal whenever nobody is inside of its lock. */
export const Cell = {
  stop: 0,
  wrong: 1,
  mended: 2,
  pairs: 8,
  /** For each thread: its rounds, then how often it changed each mutex's pair. */
  own: 8 + 2 * (MUTEXES + RWLOCKS),
  ownEach: 1 + MUTEXES,
  count: 8 + 2 * (MUTEXES + RWLOCKS) + THREADS * (1 + MUTEXES),
} as const

export interface Storm {
  mutexes: Mutex[]
  rwlocks: RwLock[]
  semaphore: Semaphore
  cells: Int32Array
  slot: number
  seed: number
}
