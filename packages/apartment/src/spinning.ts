/**
 * Whether to wait for the next message without sleeping.
 *
 * To be woken takes a thread some 100 µs, and costs the one that wakes it nearly as much; a message of a thread that is
 * awake comes within a microsecond. But a thread that spins takes a core, and longest where it must not: right after it
 * has woken another, which the system likes to put on the waker's own core, and which then waits for the spin to end.
 *
 * So a thread spins only
 *   - where messages have come soon lately: a moving average says how soon, and the spin ends at a multiple of that;
 *   - where whoever it has woken is up;
 *   - where it awaits answers, as long as one of those who owe them is awake, or where it has just served a call;
 *   - where a core is free: not while more of those linked to it are awake than there are cores; and after some
 *     spins in vain, as where other programs want the cores, it lets pass the next occasion, then two, four, …, until one
 *     pays.
 *
 * Two threads that call and answer each other would so find each other asleep for ever. So one that has woken its caller,
 * where the call before came soon, naps until that is up: it gives the core away for some 100 µs, and is awake for those
 * who look. The caller's next call then needs no wake-up, and from then on both are awake.
 *
 * The average forgets quickly: whoever calls now and then costs one short spin, or none.
 */
import { canBlock, isAwake, nap, parallelism, spin, type ThreadId } from '@flatshare/core/internal'
import type { SharedLink } from './shared-link.js'

/** Milliseconds. A message that takes longer than that is worth sleeping for. */
const NEAR = 0.3
const LONGEST_SPIN = 0.2
const SHORTEST_SPIN = 0.06
/** No wait counts for more. */
const FAR = 1
/** How often to nap, after messages that came so soon. */
const NAPS = 3
/** So many spins may be in vain before the next occasion is let pass, and how many are at most. */
const PATIENCE = 3
const MOST_PASSED = 16
const SOON = 0.5

const cores = parallelism()
/** Where a thread may not block, it can't give its core away and come back. */
const mayNap = canBlock()

/** The threads that this one writes to by rings, each once. */
const others: ThreadId[] = []

let expected = 0.1
let waits = false
let waitBegan = 0
/** The thread that this one has woken for what it waits for, 0 for none. */
let woken: ThreadId = 0
/** Whether what came last came soon. */
let isNear = false
/** Whether calls were among it. */
let serves = false
let lookBegan = 0
/** Whether something has come since then. */
let arrived = true
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

/** It has found nothing. */
export function noteWait(): void {
  if (waits) return
  waits = true
  waitBegan = lookBegan
}

/** It has sent something to a thread that is awake. */
export function noteAnswerNear(): void {
  waits = false
}

/** It has sent something to a thread that had to be woken. */
export function noteWoken(thread: ThreadId, now: number): void {
  woken = thread
  waits = true
  waitBegan = now
}

/** This thread looks for what has come, from now on. */
export function noteLook(now: number): void {
  lookBegan = now
  arrived = false
}

/** Something has come: before it is received, as that may send something. */
export function noteArrival(): void {
  if (arrived) return
  arrived = true
  const waited = waits ? lookBegan - waitBegan : 0
  isNear = waited < SOON
  expected += (Math.min(waited, FAR) - expected) / 4
  waits = false
  woken = 0
  serves = false
}

/** It is a call. */
export function noteCall(): void {
  serves = true
}

/**
 * Waits for what is announced next without sleeping, where that pays.
 *
 * @param seen what `postsNow` gave before the thread last looked at everything.
 * @returns whether something was announced since.
 */
export function waitAwake(seen: number, links: readonly SharedLink[]): boolean {
  if (expected >= NEAR) return false
  if (woken !== 0 && !isAwake(woken)) {
    if (!isNear || !serves || !mayNap) return false
    for (let naps = NAPS; !isAwake(woken); naps--) {
      if (naps === 0) return false
      if (nap(seen)) return true
    }
  }
  woken = 0
  if (!mayCome(links)) return false
  if (toPass > 0) {
    toPass--
    return false
  }
  const limit = Math.min(LONGEST_SPIN, 2 * expected + SHORTEST_SPIN) * 1000
  const paid = spin(seen, limit, () => mayCome(links))
  inVain = paid ? 0 : inVain + 1
  toPass = inVain < PATIENCE ? 0 : Math.min(MOST_PASSED, 2 ** (inVain - PATIENCE))
  return paid
}

/** Whether a core is free for this thread beside those linked to it that are awake. */
export function coreIsFree(): boolean {
  let awake = 1
  for (const thread of others) if (isAwake(thread)) awake++
  return awake <= cores
}

/** Whether something may come soon, and a core is free to wait for it. */
function mayCome(links: readonly SharedLink[]): boolean {
  if (!coreIsFree()) return false
  if (serves) return true
  for (const link of links) if (link.awaits && isAwake(link.threadId)) return true
  return false
}
