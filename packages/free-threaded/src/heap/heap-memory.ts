import { FlatshareError } from '@flatshare/core'
import {
  allocate,
  canBlock,
  free,
  i32,
  isAlive,
  ownThreadId,
  reach,
  reordersReads,
  sharedBlock,
  type ThreadId,
  threadsEnded,
} from '@flatshare/core/internal'
import { HeapFullError } from './heap-full-error.js'

/**
 * All that the heap's algorithms touch outside of their own thread. Tests give them a model of shared memory,
 * whose every operation is a step that a scheduler may interleave; programs get `sharedHeapMemory`.
 */
export interface HeapMemory {
  /** How often a thread looks again before it naps. */
  readonly spins: number
  load(address: number): number
  store(address: number, value: number): void
  /** Stores a word so that who sees it sees all that was stored before; what is read after it may have been read earlier. */
  publish(address: number, value: number): void
  add(address: number, delta: number): number
  exchange(address: number, value: number): number
  compareExchange(address: number, expected: number, replacement: number): number
  /** Reads a word that no other thread writes meanwhile. */
  get(address: number): number
  /** Writes a word that no other thread touches meanwhile. */
  set(address: number, value: number): void
  /** Makes bytes that nobody else uses zero; whole words. */
  clear(address: number, bytes: number): void
  notify(address: number): void
  /** To be called before the use of addresses below `end` that another thread has just told of. */
  reach(end: number): void
  /** The heap's control block, which all threads share; zero at first. */
  control(bytes: number): number
  /**
   * A zeroed block that lies outside of the heap's pages.
   *
   * @throws HeapFullError
   */
  allocate(bytes: number): number
  free(address: number, bytes: number): void
  /** Gives way, for a millisecond at most, to the thread that is to change the word at `address`, now `expected`. */
  nap(address: number, expected: number): void
  ownThreadId(): ThreadId
  isAlive(id: ThreadId): boolean
  /** How many threads have ended. */
  deaths(): number
  /** How large a page is: a power of two. */
  readonly pageBytes: number
  /** How many pages are asked for at once. */
  readonly segmentPages: number
  /** How large a chunk of a ledger, or of crossings, is. */
  readonly chunkBytes: number
}

/** The arena. */
export const sharedHeapMemory: HeapMemory = {
  spins: 200,
  load: (address) => Atomics.load(i32, address >> 2),
  store: (address, value) => void Atomics.store(i32, address >> 2, value),
  // Where the machine keeps the order of stores, and compilers do on shared memory, a plain one will do.
  publish: reordersReads
    ? (address, value) => void Atomics.store(i32, address >> 2, value)
    : (address, value) => void (i32[address >> 2] = value),
  add: (address, delta) => Atomics.add(i32, address >> 2, delta),
  exchange: (address, value) => Atomics.exchange(i32, address >> 2, value),
  compareExchange: (address, expected, replacement) =>
    Atomics.compareExchange(i32, address >> 2, expected, replacement),
  get: (address) => i32[address >> 2],
  set(address, value) {
    i32[address >> 2] = value
  },
  clear(address, bytes) {
    const end = (address + bytes) >> 2
    // For few words faster than `fill`.
    if (bytes <= 256) for (let i = address >> 2; i < end; i++) i32[i] = 0
    else i32.fill(0, address >> 2, end)
  },
  notify: (address) => void Atomics.notify(i32, address >> 2),
  reach,
  control: (bytes) => sharedBlock('heap', bytes),
  allocate(bytes) {
    try {
      return allocate(bytes)
    } catch (error) {
      if (!(error instanceof FlatshareError || error instanceof RangeError)) throw error
      const message = `${error.message} Every object is as it was. Dispose of some, or raise the limit.`
      throw new HeapFullError(message, { cause: error })
    }
  },
  free,
  nap(address, expected) {
    if (canBlock()) Atomics.wait(i32, address >> 2, expected, 1)
  },
  ownThreadId,
  isAlive,
  deaths: threadsEnded,
  pageBytes: 0x10000,
  segmentPages: 16,
  chunkBytes: 1024,
}
