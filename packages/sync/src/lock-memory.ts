import {
  canBlock,
  i32,
  isAlive,
  ownThreadId,
  park,
  parkedOnOwner,
  reach,
  type ThreadId,
  timesParked,
  waitAsync,
  waitNote,
  wakeWaiters,
} from '@flatshare/core/internal'

/**
 * All that the lock algorithm touches outside of its own thread. Tests give it a model of shared memory,
 * whose every operation is a step that a scheduler may interleave; programs get `sharedMemory`.
 */
export interface LockMemory {
  /** At most this many loads are spent on waiting for a lock before its thread parks. */
  readonly spins: number
  load(address: number): number
  /** As `load`, for an address that another thread has just told of. */
  loadAnywhere(address: number): number
  store(address: number, value: number): void
  add(address: number, delta: number): void
  /** Gives the value that was there before. */
  exchange(address: number, value: number): number
  /** Gives the value that was there before: `expected` if it was replaced. */
  compareExchange(address: number, expected: number, replacement: number): number
  notify(address: number, count: number): void
  park(
    address: number,
    expected: number,
    timeout: number,
    holderLives: () => boolean,
    what: string,
  ): 'woken' | 'timed-out'
  /** Calls `onWoken`, later, once the word is notified or isn't `expected`. */
  sleepAsync(address: number, expected: number, onWoken: () => void): void
  /** Ends the async sleeps of this thread at `address`. */
  wakeOwn(address: number): void
  /** Calls back when the running code of this thread has returned. */
  soon(callback: () => void): void
  ownThreadId(): ThreadId
  isAlive(id: ThreadId): boolean
  canBlock(): boolean
  /** Milliseconds. */
  now(): number
  parkedOnOwner(id: ThreadId): number
  timesParked(id: ThreadId): number
  waitNote(id: ThreadId): string
}

/** The arena. */
export const sharedMemory: LockMemory = {
  spins: 1000,
  load: (address) => Atomics.load(i32, address >> 2),
  loadAnywhere(address) {
    reach(address + 4)
    return Atomics.load(i32, address >> 2)
  },
  store: (address, value) => void Atomics.store(i32, address >> 2, value),
  add: (address, delta) => void Atomics.add(i32, address >> 2, delta),
  exchange: (address, value) => Atomics.exchange(i32, address >> 2, value),
  compareExchange: (address, expected, replacement) =>
    Atomics.compareExchange(i32, address >> 2, expected, replacement),
  notify: (address, count) => void Atomics.notify(i32, address >> 2, count),
  park,
  sleepAsync: (address, expected, onWoken) => void waitAsync(address, expected).then(onWoken),
  wakeOwn: wakeWaiters,
  soon: queueMicrotask,
  ownThreadId,
  isAlive,
  canBlock,
  now: () => performance.now(),
  parkedOnOwner,
  timesParked,
  waitNote,
}
