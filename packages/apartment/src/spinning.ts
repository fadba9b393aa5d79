/**
 * Whether to wait for the next message without sleeping.
 *
 * To be woken takes a thread some 100 µs, and costs the one that wakes it nearly as much; a message of a thread that is
 * awake comes within a microsecond. But a thread that spins takes a core, and longest where it must not: right after it
 * has woken another, which the system likes to put on the waker's own core, and which then waits for the spin to end.
 *
 * So a thread spins only
 *   - where messages have come soon lately: a moving average says how soon, and the spin ends at a multiple of that;
 *   - where it has woken nobody since the last look, unless messages have come soon several times in a row;
 *   - where it awaits answers, as long as one of those who owe them is awake;
 *   - where a core is free: not while more of those linked to it are awake than there are cores; and a spin in vain, as
 *     where other programs want the cores, has it let pass the next occasion, then the next two, four, …, until one pays.
 *
 * The average forgets quickly, so whoever sends now and then costs one short spin, and one who goes on without a pause
 * has this thread awake after a few messages.
 */
import { isAwake, parallelism, type ThreadId } from '@flatshare/core/internal'
import type { SharedLink } from './shared-link.js'

/** Milliseconds. A message that takes longer than that is worth sleeping for. */
const NEAR = 0.15
const LONGEST_SPIN = 0.2
const SHORTEST_SPIN = 0.03
/** No wait counts for more. */
const FAR = 1
/** Messages in a row that came soon, after which a spin may follow a wake-up. */
const STREAK = 2
/** Occasions that are let pass at most. */
const MOST_PASSED = 64
const SOON = 0.5

const cores = parallelism()

/** The threads that this one writes to by rings, each once. */
const others: ThreadId[] = []

let expected = 0.1
let waitBegan = 0
let woken = false
let streak = 0
/** Occasions to let pass after the last spin in vain, and still. */
let penalty = 0
let toPass = 0

export function noteOther(thread: ThreadId): void {
  others.push(thread)
}

export function forgetOther(thread: ThreadId): void {
  const place = others.indexOf(thread)
  if (place >= 0) others.splice(place, 1)
}

/** This thread waits from now on. */
export function noteWait(now: number): void {
  waitBegan = now
}

/** Another thread had to be woken. */
export function noteWoken(): void {
  woken = true
}

/** Something has come. */
export function noteArrival(now: number): void {
  const waited = now - waitBegan
  streak = waited < SOON ? streak + 1 : 0
  expected += (Math.min(waited, FAR) - expected) / 4
  waitBegan = now
}

/** A spin has ended. */
export function noteSpin(paid: boolean): void {
  penalty = paid ? 0 : Math.min(MOST_PASSED, penalty * 2 || 1)
  toPass = penalty
}

/** How many microseconds to spin now: 0 where that doesn't pay. */
export function spinLimit(links: readonly SharedLink[]): number {
  const hurts = woken && streak < STREAK
  woken = false
  if (hurts || expected >= NEAR || !spinsOn(links)) return 0
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
