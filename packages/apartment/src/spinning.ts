/**
 * Whether to wait for the next message without sleeping.
 *
 * To be woken takes a thread some 100 µs, and costs the one that wakes it nearly as much; a message of a thread that is
 * awake comes within a microsecond. But a thread that spins takes a core, and longest where it must not: right after it
 * has woken another, which the system likes to put on the waker's own core, and which then waits for the spin to end.
 *
 * So a thread spins only
 *   - where messages have come soon lately: a moving average says how soon, and the spin ends at a multiple of that;
 *   - where nobody was woken for what it waits for, unless messages have come soon several times in a row: two threads
 *     that call and answer each other would else find each other asleep for ever;
 *   - where it awaits answers, as long as one of those who owe them is awake;
 *   - where a core is free: not while more of those linked to it are awake than there are cores; and after some
 *     spins in vain, as where other programs want the cores, it lets pass the next occasion, then two, four, …, until one
 *     pays.
 *
 * The average forgets quickly: whoever sends now and then costs one short spin, or none, and one who goes on without a
 * pause has this thread awake after a few messages.
 */
import { isAwake, parallelism, type ThreadId } from '@flatshare/core/internal'
import type { SharedLink } from './shared-link.js'

/** Milliseconds. A message that takes longer than that is worth sleeping for. */
const NEAR = 0.3
const LONGEST_SPIN = 0.2
const SHORTEST_SPIN = 0.06
/** No wait counts for more. */
const FAR = 1
/** Messages in a row that came soon, after which a spin may follow a wake-up. */
const STREAK = 2
/** So many spins may be in vain before the next occasion is let pass, and how many are at most. */
const PATIENCE = 3
const MOST_PASSED = 16
const SOON = 0.5

const cores = parallelism()

/** The threads that this one writes to by rings, each once. */
const others: ThreadId[] = []

let expected = 0.1
let waits = false
let waitBegan = 0
let woken = false
let streak = 0
/** Spins in vain, one after the other. */
let inVain = 0
/** Occasions to let pass still. */
let toPass = 0

export function noteOther(thread: ThreadId): void {
  others.push(thread)
}

export function forgetOther(thread: ThreadId): void {
  const place = others.indexOf(thread)
  if (place >= 0) others.splice(place, 1)
}

/** This thread has nothing to do, as it has found now. */
export function noteWait(now: number): void {
  if (waits) return
  waits = true
  waitBegan = now
}

/** It has sent something to a thread that is awake. */
export function noteAnswerNear(): void {
  waits = false
  woken = false
}

/** It has sent something to a thread that had to be woken. */
export function noteWoken(now: number): void {
  woken = true
  waits = true
  waitBegan = now
}

/** Something has come. */
export function noteArrival(now: number): void {
  const waited = waits ? now - waitBegan : 0
  streak = waited < SOON ? streak + 1 : 0
  expected += (Math.min(waited, FAR) - expected) / 4
  waits = false
  woken = false
}

/** A spin has ended. */
export function noteSpin(paid: boolean): void {
  inVain = paid ? 0 : inVain + 1
  toPass = inVain < PATIENCE ? 0 : Math.min(MOST_PASSED, 2 ** (inVain - PATIENCE))
}

/** How many microseconds to spin now: 0 where that doesn't pay. */
export function spinLimit(links: readonly SharedLink[]): number {
  if ((woken && streak < STREAK) || expected >= NEAR || !spinsOn(links)) return 0
  if (toPass > 0) {
    toPass--
    return 0
  }
  return Math.min(LONGEST_SPIN, 2 * expected + SHORTEST_SPIN) * 1000
}

/** Whether there is one for this thread beside those linked to it that are awake. */
export function coreIsFree(): boolean {
  let awake = 1
  for (const thread of others) if (isAwake(thread)) awake++
  return awake <= cores
}

/** Whether those whose messages are near are awake, and a core is free. */
export function spinsOn(links: readonly SharedLink[]): boolean {
  if (!coreIsFree()) return false
  let awaits = false
  for (const link of links) {
    if (!link.awaits) continue
    if (isAwake(link.threadId)) return true
    awaits = true
  }
  return !awaits
}
