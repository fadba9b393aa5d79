/**
 * The arena: one growable block of shared memory for all threads of a process.
 *
 * The first thread makes it and every worker started later inherits it where the runtime can hand it
 * down; any other thread adopts it from the first packet that it gets. A thread that has already used
 * an arena of its own can't change: two arenas never meet, and trying is a clear error.
 *
 * Layout, in bytes
 *
 *   0   magic          4  layout version   8  key (random; names locks of this arena)
 *  12   allocator lock (id of its holder)  16  bytes in use (never falls)
 *  20   supervisor: 0 none, 1 started      24  how the root thread is reached
 *  28   thread slots ever used             32  deaths      36  last packet serial
 *  40   wait queues: address of their block, 0 before the first is needed
 *  44   table of named locks: the same      48  heap of free-threaded objects: the same
 *  52   the most bytes that it may grow to; 0 where nobody has set a limit
 *  56   id of the process's main thread, 0 before it joins
 *  60   global object table: address of its block, 0 before the first is needed
 *  64   heads of the allocator's free lists, one a size class
 * 280   table of the cells of calls: as with the wait queues        284  blocks of call ids given out
 * 288   list of rings: as with the wait queues      292  who has initialised (see `initialize.ts`): the same
 * 296   service thread of notifications: the same
 * 304   16 random bytes that name the process among all others
 * 512   thread table: 1,024 slots of 128 bytes (see `threads.ts`)
 *
 * Invariant: the arena only grows, so an address that was valid once stays valid, and a view that
 * covers it once covers it always. Views have a fixed length (a length-tracking view costs forty times
 * as much) and are made anew by `reach` when an address lies beyond them.
 */

import { bequeathArena, inheritedArena, inheritsArena, isMainThread, nativeThreadId } from '#platform'
import { FlatshareError } from './errors.js'

const MAGIC = 0x464c5348
const LAYOUT_VERSION = 1
const INITIAL_BYTES = 1024 * 1024

export const Header = {
  magic: 0,
  version: 4,
  key: 8,
  allocatorLock: 12,
  top: 16,
  supervisor: 20,
  rootId: 24,
  slotsUsed: 28,
  deaths: 32,
  packetSerial: 36,
  waitQueues: 40,
  lockTable: 44,
  heap: 48,
  limit: 52,
  mainThread: 56,
  objectTable: 60,
  freeLists: 64,
  callCells: 280,
  callIds: 284,
  rings: 288,
  initializations: 292,
  serviceThread: 296,
  processName: 304,
  threads: 512,
} as const

export const THREAD_SLOTS = 1024
export const THREAD_SLOT_BYTES = 128
/** Where allocation begins. */
const HEAP_START = Header.threads + THREAD_SLOTS * THREAD_SLOT_BYTES

let buffer: SharedArrayBuffer | undefined
let mine = false

/** Views over the whole arena, as far as this thread has looked. Index by `address >> 2`, `>> 3`, … */
export let i8: Int8Array
export let u8: Uint8Array
export let i16: Int16Array
export let u16: Uint16Array
export let i32: Int32Array
export let u32: Uint32Array
export let i64: BigInt64Array
export let u64: BigUint64Array
export let f32: Float32Array
export let f64: Float64Array

/** The same views, as an object. */
export interface Views {
  readonly i8: Int8Array
  readonly u8: Uint8Array
  readonly i16: Int16Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly i64: BigInt64Array
  readonly u64: BigUint64Array
  readonly f32: Float32Array
  readonly f64: Float64Array
}

/** The prototype of `views`: engines compile what a constant object has from its prototype into the code. */
const currentViews: Partial<Record<keyof Views, ArrayBufferView>> = {}

/**
 * For the hottest code, which keeps this object in a constant of its module: V8 then compiles the views' addresses and
 * lengths in, as it does for a typed array that never changes, and compiles anew when the views are made anew. (An
 * exported variable is loaded and checked at each use: a field's read takes 1.9 ns that way, and 1.4 this way.)
 */
export const views = Object.create(currentViews) as Views

function makeViews(arena: SharedArrayBuffer): void {
  const bytes = arena.byteLength
  i8 = new Int8Array(arena, 0, bytes)
  u8 = new Uint8Array(arena, 0, bytes)
  i16 = new Int16Array(arena, 0, bytes >> 1)
  u16 = new Uint16Array(arena, 0, bytes >> 1)
  i32 = new Int32Array(arena, 0, bytes >> 2)
  u32 = new Uint32Array(arena, 0, bytes >> 2)
  i64 = new BigInt64Array(arena, 0, bytes >> 3)
  u64 = new BigUint64Array(arena, 0, bytes >> 3)
  f32 = new Float32Array(arena, 0, bytes >> 2)
  f64 = new Float64Array(arena, 0, bytes >> 3)
  const made = { i8, u8, i16, u16, i32, u32, i64, u64, f32, f64 }
  // What is assigned to a second time is no constant any more; what is deleted and defined is a new one.
  for (const name of Object.keys(currentViews) as (keyof Views)[]) delete currentViews[name]
  Object.assign(currentViews, made)
}

function reserve(): SharedArrayBuffer {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new FlatshareError(
      'There is no shared memory here. A page must be cross-origin isolated: serve it with the headers ' +
        '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp".',
    )
  }
  // Address space only: memory is committed as the arena grows. Some systems limit address space.
  for (const maxByteLength of [1 << 30, 1 << 28]) {
    try {
      return new SharedArrayBuffer(INITIAL_BYTES, { maxByteLength })
    } catch {
      // Try the smaller reservation.
    }
  }
  return new SharedArrayBuffer(INITIAL_BYTES, { maxByteLength: 1 << 26 })
}

function make(): void {
  buffer = reserve()
  mine = true
  makeViews(buffer)
  i32[Header.version >> 2] = LAYOUT_VERSION
  i32[Header.key >> 2] = (Math.random() * 0x7fffffff) | 0
  // Not by Math.random: many processes may be started at once.
  crypto.getRandomValues(new Uint8Array(16)).forEach((byte, i) => void (u8[Header.processName + i] = byte))
  i32[Header.top >> 2] = HEAP_START
  i32[Header.rootId >> 2] = nativeThreadId
  Atomics.store(i32, Header.magic >> 2, MAGIC)
  bequeathArena(buffer)
}

/** Whether a value is an arena, of whatever layout version. */
export function isArena(value: unknown): value is SharedArrayBuffer {
  // By its tag: test runners and sandboxes have a `SharedArrayBuffer` of their own.
  if (Object.prototype.toString.call(value) !== '[object SharedArrayBuffer]') return false
  const arena = value as SharedArrayBuffer
  return arena.byteLength >= Header.threads && new Int32Array(arena, 0, 1)[0] === MAGIC
}

function take(arena: SharedArrayBuffer): void {
  const header = new Int32Array(arena, 0, 2)
  if (header[0] !== MAGIC || header[1] !== LAYOUT_VERSION) {
    throw new FlatshareError(
      `The shared memory of this process was made by another version of @flatshare/core (layout ${header[1]}, ` +
        `this copy has ${LAYOUT_VERSION}). Let all threads load one version.`,
    )
  }
  buffer = arena
  mine = false
  makeViews(arena)
}

// The main thread makes the arena before it can start a worker, so that each of them inherits it.
const inherited = inheritedArena()
if (inherited) take(inherited)
else if (isMainThread && inheritsArena) make()

/** The arena of this thread, made if there is none yet. */
export function arena(): SharedArrayBuffer {
  if (!buffer) make()
  return buffer!
}

/** Whether this thread made the arena: the root, through which others reach the supervisor. */
export function isRoot(): boolean {
  return mine
}

/**
 * Makes another thread's arena this thread's own, before it has used one.
 *
 * @throws FlatshareError when this thread, or a worker that inherited from it, has used its own already.
 */
export function adoptArena(other: SharedArrayBuffer): void {
  if (buffer && i32[Header.key >> 2] === new Int32Array(other, 0, 4)[Header.key >> 2]) return
  if (buffer && Atomics.load(i32, Header.slotsUsed >> 2) > 0) {
    throw new FlatshareError(
      'This thread already has shared objects of its own, made before anything came from the other thread, so the ' +
        'two can share none. Import Flatshare on the thread that starts the workers, before it starts them.',
    )
  }
  take(other)
  bequeathArena(other)
}

/** Used by the supervisor, which only watches. */
export function watchArena(other: SharedArrayBuffer): void {
  take(other)
}

/** Makes sure that this thread's views cover everything below `end`; the arena has grown that far. */
export function reach(end: number): void {
  if (end > u8.length) makeViews(buffer!)
}

/** How many bytes the arena may have. */
export function arenaLimit(): number {
  const most = arena().maxByteLength
  return Math.min(Atomics.load(i32, Header.limit >> 2) || most, most)
}

/** Limits how large the arena may get; what it has by now it keeps. */
export function limitArena(bytes: number): void {
  arena()
  Atomics.store(i32, Header.limit >> 2, bytes)
}

/** Has the arena reach to `end`, growing it if need be; false where it may not. The caller holds the allocator lock. */
export function growTo(end: number): boolean {
  const max = arenaLimit()
  if (end > max) return false
  if (end > buffer!.byteLength) buffer!.grow(Math.min(max, Math.max(end, buffer!.byteLength * 2)))
  reach(end)
  return true
}
