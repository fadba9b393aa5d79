/**
 * Blocking on a word of shared memory so that no death is slept through.
 *
 * A thread that blocks first writes the address into its slot ("parked at"), then looks whether the
 * holder lives, then waits. When a thread dies, the supervisor first marks it dead, then looks at every
 * slot: a word on which somebody is parked and whose owner is the dead thread gets OWNER_DIED, and all
 * waiters of each parked word are woken.
 *
 *   parker:      store parked │ load holder's state │ wait(word, expected)
 *   supervisor:  store dead   │ load parked         │ word |= OWNER_DIED, notify all
 *
 * Either the parker sees the death, or the supervisor sees the parker and changes the word before it
 * notifies; so the wait finds another value, or is woken. A sleeper that was at the head of a queue
 * when its thread died swallows one wake-up; waking everybody at a death replaces it.
 *
 * The word that a lock parks on, where it names an owner:
 *
 *   bit 31  CONTENDED   somebody may wait: who unlocks must notify
 *   bit 30  OWNER_DIED  the owner's thread ended while it held the lock
 *   0 … 29  the owner's thread id, 0 when free
 *
 * Invariant: a wake-up means "look again", never "it is yours".
 */
import { allocate } from './allocator.js'
import { i32, reach, u16 } from './memory.js'
import { ownThreadId, SlotWord, slotOf, slotsUsed, type ThreadId } from './threads.js'

export const CONTENDED = 0x80000000 | 0
export const OWNER_DIED = 0x40000000
export const OWNER_MASK = 0x3fffffff

/** Set in "parked at" where the word names an owner; addresses are multiples of four. */
const OWNER_WORD = 1

/** A wait note: its length in UTF-16 units, then the text. */
const NOTE_UNITS = 62
const NOTE_BYTES = 4 + NOTE_UNITS * 2

/**
 * Blocks this thread while the word at `address` is `expected`, at most `timeout` milliseconds. A word
 * that names an owner, as above, is said to be one by `holderLives`, which is asked between the
 * announcement and the wait; when it answers false, or throws, there is no wait. `what` says to other
 * threads' errors what this one waits for.
 */
export function park(
  address: number,
  expected: number,
  timeout: number,
  holderLives?: () => boolean,
  what = '',
): 'woken' | 'timed-out' {
  const slot = slotOf(ownThreadId())
  noteWait(slot, what)
  Atomics.store(i32, slot + SlotWord.timesParked, i32[slot + SlotWord.timesParked] + 1)
  Atomics.store(i32, slot + SlotWord.parked, holderLives ? address | OWNER_WORD : address)
  try {
    if (holderLives && !holderLives()) return 'woken'
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
  return Atomics.load(i32, slotOf(id) + SlotWord.parked) & ~OWNER_WORD
}

/** As `parkedAt`, if the word there names an owner: else 0. */
export function parkedOnOwner(id: ThreadId): number {
  const parked = Atomics.load(i32, slotOf(id) + SlotWord.parked)
  return parked & OWNER_WORD ? parked & ~OWNER_WORD : 0
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

/** The supervisor's part: marks the words that the dead thread owned and wakes whoever is parked. */
export function wakeForDeath(dead: ThreadId): void {
  for (let number = 1; number <= slotsUsed(); number++) {
    const parked = Atomics.load(i32, slotOf(number) + SlotWord.parked)
    if (parked === 0) continue
    const address = parked & ~OWNER_WORD
    reach(address + 4)
    if (parked & OWNER_WORD) markOwnerDied(address >> 2, dead)
    Atomics.notify(i32, address >> 2)
  }
}

function markOwnerDied(index: number, dead: ThreadId): void {
  for (;;) {
    const word = Atomics.load(i32, index)
    if ((word & OWNER_MASK) !== dead) return
    if (Atomics.compareExchange(i32, index, word, word | OWNER_DIED) === word) return
  }
}
