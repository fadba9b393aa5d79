/**
 * Blocking on a word of shared memory so that no death is slept through.
 *
 * A thread that blocks first writes the address into its slot ("parked at"), then looks whether waiting is
 * still worthwhile (whether some thread has died since it looked last), then waits. When a thread dies,
 * the supervisor first marks it dead and counts the death, then looks at every slot: the word of each wait
 * node that somebody is parked on gets LOOK_AGAIN, and all waiters of each parked word are woken.
 *
 *   parker:      store parked │ load deaths        │ wait(word, expected)
 *   supervisor:  count death  │ load parked        │ word |= LOOK_AGAIN, notify all
 *
 * Either the parker sees the death, or the supervisor sees the parker and changes the word before it
 * notifies; so the wait finds another value, or is woken.
 *
 * A *wait node* belongs to its thread, or to the next one in the same slot, for ever: LOOK_AGAIN may come
 * at any later time, also into a node that is in use for another wait, and means no more than it says.
 *
 * A thread that blocks for messages is parked on the count of what was posted to it (`inbox.ts`), which the
 * supervisor raises for every thread.
 *
 * Invariant: a wake-up means "look again", never "it is yours".
 */
import { allocate } from './allocator.js'
import { i32, reach, u16 } from './memory.js'
import { ownThreadId, SlotWord, slotOf, slotsUsed, type ThreadId } from './threads.js'

/** Set by the supervisor in the first word of a wait node. */
export const LOOK_AGAIN = 0x40000000

/** Set in "parked at" where that is a wait node; addresses are multiples of four. */
const WAIT_NODE = 1

/** A wait note: its length in UTF-16 units, then the text. */
const NOTE_UNITS = 62
const NOTE_BYTES = 4 + NOTE_UNITS * 2

/** How to block. */
export interface ParkOptions {
  /** Asked between the announcement and the wait; when it answers false, or throws, there is no wait. */
  readonly worthwhile?: () => boolean
  /** The word is the first one of a wait node. */
  readonly onNode?: boolean
  /** What this thread waits for, for the errors of others. */
  readonly what?: string
}

const hooks: Array<() => void> = []

/** Calls `hook` before each wait of this thread: nothing that others wait for may stay unsent meanwhile. */
export function beforePark(hook: () => void): void {
  hooks.push(hook)
}

/** Blocks this thread while the word at `address` is `expected`, at most `timeout` milliseconds. */
export function park(
  address: number,
  expected: number,
  timeout: number,
  { worthwhile, onNode = false, what = '' }: ParkOptions = {},
): 'woken' | 'timed-out' {
  for (const hook of hooks) hook()
  const slot = slotOf(ownThreadId())
  noteWait(slot, what)
  Atomics.store(i32, slot + SlotWord.timesParked, i32[slot + SlotWord.timesParked] + 1)
  Atomics.store(i32, slot + SlotWord.parked, onNode ? address | WAIT_NODE : address)
  try {
    if (worthwhile && !worthwhile()) return 'woken'
    return Atomics.wait(i32, address >> 2, expected, timeout) === 'timed-out' ? 'timed-out' : 'woken'
  } finally {
    Atomics.store(i32, slot + SlotWord.parked, 0)
  }
}

function noteWait(slot: number, what: string): void {
  let note = i32[slot + SlotWord.waitNote]
  if (note === 0) {
    if (what === '') return
    Atomics.store(i32, slot + SlotWord.waitNote, (note = allocate(NOTE_BYTES)))
  }
  reach(note + NOTE_BYTES)
  const length = Math.min(what.length, NOTE_UNITS)
  for (let i = 0; i < length; i++) u16[((note + 4) >> 1) + i] = what.charCodeAt(i)
  i32[note >> 2] = length
}

/** The address that a thread blocks on, 0 when it doesn't. */
export function parkedAt(id: ThreadId): number {
  return Atomics.load(i32, slotOf(id) + SlotWord.parked) & ~WAIT_NODE
}

/** As `parkedAt`, if that is a wait node: else 0. */
export function parkedOnNode(id: ThreadId): number {
  const parked = Atomics.load(i32, slotOf(id) + SlotWord.parked)
  return parked & WAIT_NODE ? parked & ~WAIT_NODE : 0
}

/** Differs for each wait of a thread: with the same `parkedAt`, before and after, it was parked all the while. */
export function timesParked(id: ThreadId): number {
  return Atomics.load(i32, slotOf(id) + SlotWord.timesParked)
}

/** What a parked thread says that it waits for; true only if `timesParked` is the same before and after. */
export function waitNote(id: ThreadId): string {
  const note = Atomics.load(i32, slotOf(id) + SlotWord.waitNote)
  if (note === 0) return ''
  reach(note + NOTE_BYTES)
  const start = (note + 4) >> 1
  return String.fromCharCode(...u16.subarray(start, start + i32[note >> 2]))
}

/**
 * A block of `bytes` that belongs to this thread's slot for ever, made at the first call and filled with
 * zeros then; a thread that takes the slot later finds it as it was left.
 */
export function slotBlock(bytes: number): number {
  const index = slotOf(ownThreadId()) + SlotWord.block
  let address = i32[index]
  if (address === 0) Atomics.store(i32, index, (address = allocate(bytes)))
  reach(address + bytes)
  return address
}

/** Has a thread that is parked on a wait node look again at what it waits for. */
export function lookAgain(id: ThreadId): void {
  const node = parkedOnNode(id)
  if (node === 0) return
  reach(node + 4)
  Atomics.or(i32, node >> 2, LOOK_AGAIN)
  Atomics.notify(i32, node >> 2)
}

/** The supervisor's part: wakes whoever is parked, those on a wait node with LOOK_AGAIN. */
export function wakeForDeath(): void {
  for (let number = 1; number <= slotsUsed(); number++) {
    Atomics.add(i32, slotOf(number) + SlotWord.posts, 1)
    const parked = Atomics.load(i32, slotOf(number) + SlotWord.parked)
    if (parked === 0) continue
    const address = parked & ~WAIT_NODE
    reach(address + 4)
    if (parked & WAIT_NODE) Atomics.or(i32, address >> 2, LOOK_AGAIN)
    Atomics.notify(i32, address >> 2)
  }
}
