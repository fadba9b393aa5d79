import {
  allocate,
  calleeOf,
  canBlock,
  free,
  holdOpen,
  i32,
  isAlive,
  onThreadExitInternal,
  ownThreadId,
  park,
  parkedAt,
  parkedOnNode,
  reach,
  sharedBlock,
  slotBlock,
  type ThreadId,
  threadsEnded,
  timesParked,
  waitAsync,
  waitNote,
} from '@flatshare/core/internal'

/**
 * All that the algorithms touch outside of their own thread. Tests give them a model of shared memory,
 * whose every operation is a step that a scheduler may interleave; programs get `sharedMemory`.
 */
export interface SyncMemory {
  /** At most this many loads are spent on waiting before a thread parks. */
  readonly spins: number
  /** A thread that may not block waits so many milliseconds for what it wants, awake. */
  readonly awakeMs: number
  load(address: number): number
  store(address: number, value: number): void
  add(address: number, delta: number): void
  /** Gives the value that was there before. */
  exchange(address: number, value: number): number
  /** Gives the value that was there before: `expected` if it was replaced. */
  compareExchange(address: number, expected: number, replacement: number): number
  notify(address: number, count: number): void
  /** Reads a word that no other thread writes meanwhile. */
  get(address: number): number
  /** Writes a word that no other thread touches meanwhile. */
  set(address: number, value: number): void
  /** To be called before the use of addresses below `end` that another thread has just told of. */
  reach(end: number): void
  /** Where the wait queues are: `bytes` that all threads share, zero at first. */
  queues(bytes: number): number
  /** How many queues there are: a power of two. */
  readonly queueCount: number
  /** A block that belongs to this thread, or to a later one in its place, for ever. */
  ownBlock(bytes: number): number
  allocate(bytes: number): number
  free(address: number, bytes: number): void
  /** Gives way, for a millisecond at most, to the thread that holds the guard at `address`, where the word is `expected`. */
  nap(address: number, expected: number): void
  /** Blocks, as core's `park` does on a wait node. */
  park(
    address: number,
    expected: number,
    timeout: number,
    worthwhile: () => boolean,
    what: string,
  ): 'woken' | 'timed-out'
  /** Calls `onWoken`, later, once the word is notified or isn't `expected`. It keeps nothing alive. */
  sleepAsync(address: number, expected: number, onWoken: () => void): void
  /** Keeps the event loop alive until the function that it gives is called. */
  holdOpen(): () => void
  /** Calls back from the event loop whenever another thread has ended. */
  onExit(callback: () => void): void
  ownThreadId(): ThreadId
  isAlive(id: ThreadId): boolean
  /** How many threads have ended. */
  deaths(): number
  canBlock(): boolean
  /** Milliseconds. */
  now(): number
  /** Milliseconds on a clock that all threads share, in 32 bits. */
  clock(): number
  /** Whether so many milliseconds have passed since the clock said `since`. */
  isDue(since: number, milliseconds: number): boolean
  isParked(id: ThreadId): boolean
  parkedOnNode(id: ThreadId): number
  timesParked(id: ThreadId): number
  waitNote(id: ThreadId): string
  /** As core's: the thread that a thread waits for which blocks on a call, 0 where it doesn't. */
  calleeOf(id: ThreadId): ThreadId
}

const clock = (): number => (performance.timeOrigin + performance.now()) | 0

/** The arena. */
export const sharedMemory: SyncMemory = {
  spins: 1000,
  awakeMs: 1,
  load: (address) => Atomics.load(i32, address >> 2),
  store: (address, value) => void Atomics.store(i32, address >> 2, value),
  add: (address, delta) => void Atomics.add(i32, address >> 2, delta),
  exchange: (address, value) => Atomics.exchange(i32, address >> 2, value),
  compareExchange: (address, expected, replacement) =>
    Atomics.compareExchange(i32, address >> 2, expected, replacement),
  notify: (address, count) => void Atomics.notify(i32, address >> 2, count),
  get: (address) => i32[address >> 2],
  set(address, value) {
    i32[address >> 2] = value
  },
  reach,
  queues: (bytes) => sharedBlock('waitQueues', bytes),
  queueCount: 256,
  ownBlock: slotBlock,
  allocate,
  free,
  nap(address, expected) {
    // Nobody notifies: a guard is held for nanoseconds, and a notify on each leave would cost more.
    if (canBlock()) Atomics.wait(i32, address >> 2, expected, 1)
  },
  park: (address, expected, timeout, worthwhile, what) =>
    park(address, expected, timeout, { worthwhile, onNode: true, what }),
  sleepAsync: (address, expected, onWoken) =>
    void waitAsync(address, expected, Infinity, { hold: false }).then(onWoken),
  holdOpen,
  onExit: onThreadExitInternal,
  ownThreadId,
  isAlive,
  deaths: threadsEnded,
  canBlock,
  now: () => performance.now(),
  clock,
  isDue: (since, milliseconds) => ((clock() - since) | 0) >= milliseconds,
  isParked: (id) => parkedAt(id) !== 0,
  parkedOnNode,
  timesParked,
  waitNote,
  calleeOf,
}
