/**
 * Who the threads are.
 *
 * Each thread that uses Flatshare takes a slot of the thread table in shared memory, at its first use.
 *
 *   word 0  id             the slot's number, plus 1,024 for each time that the slot was used again
 *   word 1  state          0 free → 1 alive → 2 dead → 3 being taken → 1 alive …
 *   word 2  parked at      address that the thread blocks on, 0 when it doesn't
 *   word 3  exit code + 1  0 while unknown (also after `terminate()` and out of memory)
 *   word 4  length of the name, in UTF-16 units, in the low byte; bit 8 marks the thread of another process (see `foreign.ts`)
 *   word 5  times parked   raised before each "parked at", so that one wait is told from the next
 *   word 6  wait note      address of the block that says what it blocks on; the slot's for ever
 *   word 7  block          address of the block that it waits with (see `slotBlock`); the slot's for ever
 *   word 8  posts          how much was posted to the slot's threads so far (see `inbox.ts`)
 *   word 9  callee         the thread whose answer it blocks for (see `blocked-calls.ts`)
 *   word 10 seen           how much of what was posted it has received before it blocked for that
 *   word 11 bell           whether it sleeps in its event loop (see `doorbell.ts`)
 *   from byte 48           the name, at most 40 units
 *
 * Invariants: an id names one thread for ever, since a slot used again gets another id; only the
 * supervisor takes a slot from alive to dead; fresh slots are used before old ones, so ids begin 1, 2, 3.
 */
import { isMainThread } from '#platform'
import { FlatshareError } from './errors.js'
import { arena, Header, i32, THREAD_SLOT_BYTES, THREAD_SLOTS, u16 } from './memory.js'

/** Names one thread of this process, never another one later. */
export type ThreadId = number

const WORDS = THREAD_SLOT_BYTES >> 2
const FIRST = Header.threads >> 2
const NAME_UNITS = 40
const LENGTH_MASK = 0xff
const FOREIGN = 0x100
const MAX_ID = 0x3fffffff

export const SlotWord = {
  id: 0,
  state: 1,
  parked: 2,
  exitCode: 3,
  nameLength: 4,
  timesParked: 5,
  waitNote: 6,
  block: 7,
  posts: 8,
  callee: 9,
  seen: 10,
  bell: 11,
} as const
const NAME_BYTES = 48
const ALIVE = 1
const DEAD = 2
const TAKING = 3

/** Index, in 32-bit words, of the slot that `id` has or had. */
export function slotOf(id: ThreadId): number {
  return FIRST + (id & (THREAD_SLOTS - 1)) * WORDS
}

/** The number of slots that were ever used; slots 1 … n may hold threads. */
export function slotsUsed(): number {
  return Math.min(Atomics.load(i32, Header.slotsUsed >> 2), THREAD_SLOTS - 1)
}

/** Whether the thread has joined and not ended. It costs two loads. */
export function isAlive(id: ThreadId): boolean {
  const slot = slotOf(id)
  return Atomics.load(i32, slot + SlotWord.id) === id && Atomics.load(i32, slot + SlotWord.state) === ALIVE
}

/** Whether the thread was alive once, and is no more. */
export function hasThreadEnded(id: ThreadId): boolean {
  const slot = slotOf(id)
  // The slot's next thread has a higher id.
  const now = Atomics.load(i32, slot + SlotWord.id)
  return now > id || (now === id && Atomics.load(i32, slot + SlotWord.state) !== ALIVE)
}

/** What errors call the thread: its name, or its number once its slot serves another. */
export function threadName(id: ThreadId): string {
  const slot = slotOf(id)
  if (Atomics.load(i32, slot + SlotWord.id) !== id) return `thread ${id}`
  const start = ((slot << 2) + NAME_BYTES) >> 1
  return (
    String.fromCharCode(...u16.subarray(start, start + (i32[slot + SlotWord.nameLength] & LENGTH_MASK))) ||
    `thread ${id}`
  )
}

function writeName(id: ThreadId, name: string, mark = 0): void {
  const slot = slotOf(id)
  const start = ((slot << 2) + NAME_BYTES) >> 1
  const length = Math.min(name.length, NAME_UNITS)
  for (let i = 0; i < length; i++) u16[start + i] = name.charCodeAt(i)
  i32[slot + SlotWord.nameLength] = length | mark
}

let ownId = 0
let ownName = isMainThread ? 'main' : ''
const joinHooks: Array<(id: ThreadId) => void> = []

/** Calls `hook` when this thread takes its slot; now, where it has one: a module may be loaded later than that. */
export function onJoin(hook: (id: ThreadId) => void): void {
  if (ownId === 0) joinHooks.push(hook)
  else hook(ownId)
}

function takeSlot(): ThreadId {
  const fresh = Atomics.add(i32, Header.slotsUsed >> 2, 1) + 1
  if (fresh < THREAD_SLOTS) return fresh
  Atomics.sub(i32, Header.slotsUsed >> 2, 1)
  for (let number = 1; number < THREAD_SLOTS; number++) {
    const slot = slotOf(number)
    if (Atomics.compareExchange(i32, slot + SlotWord.state, DEAD, TAKING) !== DEAD) continue
    const next = i32[slot + SlotWord.id] + THREAD_SLOTS
    return next > MAX_ID ? number : next
  }
  throw new FlatshareError(`More than ${THREAD_SLOTS - 1} threads use Flatshare at once.`)
}

const COPY = Symbol.for('@flatshare/core')

function refuseSecondCopy(): void {
  const scope = globalThis as Record<symbol, unknown>
  const other = scope[COPY]
  if (other !== undefined) {
    throw new FlatshareError(
      `Two copies of @flatshare/core are loaded on this thread (${String(other)} and ${import.meta.url}). Their ` +
        'objects would not know each other: let all packages share one copy.',
    )
  }
  Object.defineProperty(scope, COPY, { value: import.meta.url })
}

/** This thread's id; it takes its slot now if it has none. */
export function ownThreadId(): ThreadId {
  return ownId || join()
}

/** Whether this thread has a slot yet. */
export function hasJoined(): boolean {
  return ownId !== 0
}

function join(): ThreadId {
  refuseSecondCopy()
  arena()
  const id = takeSlot()
  ownName ||= `worker ${id}`
  fillSlot(id, ownName)
  ownId = id
  if (isMainThread) Atomics.store(i32, Header.mainThread >> 2, id)
  for (const hook of joinHooks) hook(id)
  return id
}

function fillSlot(id: ThreadId, name: string, mark?: number): void {
  const slot = slotOf(id)
  i32[slot + SlotWord.parked] = 0
  i32[slot + SlotWord.exitCode] = 0
  // Asleep; who still rings for the thread that had the slot before finds another id in it.
  Atomics.store(i32, slot + SlotWord.bell, id << 2)
  Atomics.store(i32, slot + SlotWord.id, id)
  writeName(id, name, mark)
  Atomics.store(i32, slot + SlotWord.state, ALIVE)
}

/** Takes a slot for a thread of another process. */
export function enterForeign(name: string): ThreadId {
  ownThreadId()
  const id = takeSlot()
  fillSlot(id, name, FOREIGN)
  return id
}

/** Names a thread of another process in errors and inspection. */
export function nameForeign(id: ThreadId, name: string): void {
  if (isAlive(id)) writeName(id, name, FOREIGN)
}

/** Whether the slot's thread runs in another process. */
export function isForeign(id: ThreadId): boolean {
  return (Atomics.load(i32, slotOf(id) + SlotWord.nameLength) & FOREIGN) !== 0
}

/** The id of the process's main thread; 0 while that hasn't used Flatshare. */
export function mainThreadId(): ThreadId {
  if (isMainThread) return ownThreadId()
  arena()
  return Atomics.load(i32, Header.mainThread >> 2)
}

/** Names this thread in errors and inspection. */
export function nameThread(name: string): void {
  ownName = name
  if (ownId) writeName(ownId, name)
}

/** Marks a thread dead; false when it was marked already. Only the supervisor calls it. */
export function markDead(id: ThreadId): boolean {
  const slot = slotOf(id)
  if (Atomics.load(i32, slot + SlotWord.id) !== id) return false
  if (Atomics.compareExchange(i32, slot + SlotWord.state, ALIVE, DEAD) !== ALIVE) return false
  Atomics.add(i32, Header.deaths >> 2, 1)
  return true
}

/** Notes the exit code of this thread, for those who hear of its end. */
export function noteExitCode(code: number): void {
  if (ownId) noteExitCodeOf(ownId, code)
}

export function noteExitCodeOf(id: ThreadId, code: number): void {
  Atomics.store(i32, slotOf(id) + SlotWord.exitCode, code + 1)
}

/** The exit code of an ended thread; undefined where it was terminated or ran out of memory. */
export function exitCodeOf(id: ThreadId): number | undefined {
  const noted = Atomics.load(i32, slotOf(id) + SlotWord.exitCode)
  return noted === 0 ? undefined : noted - 1
}

/** Ids of all living threads of this process. */
export function livingThreads(): ThreadId[] {
  const ids: ThreadId[] = []
  for (let number = 1; number <= slotsUsed(); number++) {
    const slot = slotOf(number)
    if (Atomics.load(i32, slot + SlotWord.state) !== ALIVE) continue
    const id = Atomics.load(i32, slot + SlotWord.id)
    if (!isForeign(id)) ids.push(id)
  }
  return ids
}

/** How many threads have ended so far. */
export function threadsEnded(): number {
  return Atomics.load(i32, Header.deaths >> 2)
}

let blockable: boolean | undefined

/** Whether this thread may block. A page's main thread, among others, may not. */
export function canBlock(): boolean {
  if (blockable === undefined) {
    try {
      // The values differ, so that this returns at once where blocking is allowed and throws elsewhere.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0)
      blockable = true
    } catch {
      blockable = false
    }
  }
  return blockable
}

/** The running thread. */
export interface CurrentThread {
  /** Names this thread in the process; never used again for another. */
  readonly id: ThreadId
  /** `main`, the apartment's name, or `worker` and a number. */
  readonly name: string
  readonly isMain: boolean
  /** False where a blocking wait is not allowed, as on a page's main thread. */
  readonly canBlock: boolean
}

/**
 * The thread that runs this code.
 *
 * @example
 * console.log(currentThread.name, currentThread.isMain) // main true
 */
export const currentThread: CurrentThread = Object.freeze({
  get id() {
    return ownThreadId()
  },
  get name() {
    ownThreadId()
    return ownName
  },
  isMain: isMainThread,
  get canBlock() {
    return canBlock()
  },
})
