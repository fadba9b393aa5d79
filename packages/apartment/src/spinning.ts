/**
 * Whether to wait for the next message without sleeping.
 *
 * To be woken takes a thread some 100 µs, and costs the one that wakes it nearly as much; a message of a thread that is
 * awake comes within a microsecond. But a thread that spins takes a core, and longest where it must not: right after it
 * has woken another, which the system likes to put on the waker's own core, and which then waits for the spin to end.
 *
 * How soon something will come can't be told from how long it took before: that includes the wake-ups, and two threads
 * that find each other asleep would so do for ever. So each thread measures its own *pace* on a link, the time from its
 * seeing what came to its sending something, and writes it beside its ring (`ring.ts`), where the other one reads it.
 *
 * A thread waits awake only
 *   - for a thread that owes it an answer, or whose call it has just served, and whose pace is quick;
 *   - while that thread is awake. One that it has woken itself it lets come up first, by naps: a nap gives the core away
 *     for some 100 µs, and who naps counts as awake, so that nobody need wake it. So does one that was woken itself, for
 *     the caller that it has answered;
 *   - where a core is free: not while more of those linked to it are awake than there are cores;
 *   - unless it was in vain lately (`patience.ts`).
 */
import { canBlock, clock, isAwake, nap, parallelism, type ThreadId } from '@flatshare/core/internal'
import type { Incoming } from './incoming.js'
import { LONGEST_WAIT, Patience } from './patience.js'
import type { SharedLink } from './shared-link.js'

/** Milliseconds. A message that takes longer than that is worth sleeping for. */
export const NEAR = 0.3
/** How often to nap for a thread to come up. */
const NAPS = 3
/** As often for the thread that it was woken by. It then comes by itself, or not soon. */
const NAPS_WHEN_RUNG = 2
const patience = new Patience()
/** Asked for when it is needed: it takes a new thread a while to find out. */
let cores = 0
/** Where a thread may not block, it can't give its core away and come back. */
export const mayNap = canBlock()

/** The threads that this one writes to by rings, each once. */
const others: ThreadId[] = []

/** The thread that this one has woken, since something came last; 0 for none. */
let woken: ThreadId = 0
/** So many naps are left of those that this thread takes when it has been woken, and has answered. */
let napsLeft = 0
/** Where the call came from that came last, since this thread slept: who makes one often makes another. */
let served: Incoming | undefined

export function noteOther(thread: ThreadId): void {
  others.push(thread)
}

export function forgetOther(thread: ThreadId): void {
  const place = others.indexOf(thread)
  if (place >= 0) others.splice(place, 1)
}

/**
 * It has sent something to a thread that had to be woken, so many milliseconds after something had come from there: says
 * whether it shall wait for it awake. Where the two haven't talked lately, to sleep is the quicker way to be woken.
 */
export function noteWoken(thread: ThreadId, since: number): boolean {
  woken = mayNap && since < NEAR ? thread : 0
  return woken !== 0
}

/** Something has come: before it is received, as that may send something. */
export function noteArrival(): void {
  woken = 0
}

/** This thread falls asleep. */
export function noteSleep(): void {
  served = undefined
}

/** This thread has been woken from its event loop. */
export function noteRung(): void {
  napsLeft = mayNap ? NAPS_WHEN_RUNG : 0
}

/**
 * It has answered. Who has woken it may be on its core, half-way: that one goes on first.
 *
 * @param seen what `postsNow` gave before the thread last looked at everything.
 */
export function letCallerGoOn(seen: number): void {
  if (napsLeft < NAPS_WHEN_RUNG || !served) return
  napsLeft = nap(seen) ? 0 : napsLeft - 1
}

/** It is a call. */
export function noteCall(incoming: Incoming | undefined): void {
  served = incoming
}

/**
 * Waits for what is announced next without sleeping, where that pays.
 *
 * @param seen what `postsNow` gave before the thread last looked at everything.
 * @param now what `clock` gives.
 * @returns when something came that was announced since, as core's `spin` does.
 */
export function waitAwake(seen: number, now: number, links: readonly SharedLink[]): number {
  if (napsLeft > 0) {
    napsLeft = 0
    if (served) return nap(seen) ? clock() : 0
  }
  if (!nearest(links) || !coreIsFree() || !patience.tries()) return 0
  const came = wait(seen, now, links)
  patience.note(came !== 0)
  return came
}

function wait(seen: number, now: number, links: readonly SharedLink[]): number {
  if (woken !== 0) {
    if (comesUp(seen)) return clock()
    if (woken !== 0) return 0
    now = clock()
  }
  looksAt = links
  return nearest(links)?.spin(seen, now, LONGEST_WAIT, mayCome) ?? 0
}

/**
 * Naps until the thread is up that this one has woken, if it has; `woken` is 0 then.
 *
 * @param seen what `postsNow` gave before the thread last looked at everything.
 * @returns whether something was announced since.
 */
export function comesUp(seen: number): boolean {
  if (woken === 0) return false
  for (let naps = NAPS; !isAwake(woken); naps--) {
    if (naps === 0) return false
    if (nap(seen)) return true
  }
  woken = 0
  return false
}

/** The links from which something may come that is waited for. */
let looksAt: readonly SharedLink[] = []

function mayCome(): boolean {
  return nearest(looksAt) !== undefined && coreIsFree()
}

/** Whether a core is free for this thread beside those linked to it that are awake. */
export function coreIsFree(): boolean {
  let awake = 1
  for (const thread of others) if (isAwake(thread)) awake++
  return awake <= (cores ||= parallelism())
}

/** Of those by which something may come soon, the one whose thread has the quickest pace. */
function nearest(links: readonly SharedLink[]): Incoming | undefined {
  let least = NEAR
  let found: Incoming | undefined
  if (served && served.pace < least && maySend(served)) {
    least = served.pace
    found = served
  }
  for (const { awaits, incoming } of links) {
    if (awaits && incoming && incoming.pace < least && maySend(incoming)) {
      least = incoming.pace
      found = incoming
    }
  }
  return found
}

function maySend({ from }: Incoming): boolean {
  return isAwake(from) || from === woken
}
