/**
 * How a thread receives what comes by its rings.
 *
 *   asleep     it is in its event loop, or in code of users; whoever publishes rings for it (core's `doorbell.ts`)
 *   scheduled  it looks when the microtasks of this turn are done; nobody needs to ring
 *   looking    some records of each ring, in turns; then their answers go out, microtasks run, and it looks again: in place
 *              where the runtime lets itself be told to run them, which takes a tenth of the time, and the stack is the
 *              event loop's own
 *   waiting    nothing was there, and something is near (`spinning.ts`): it waits without sleeping
 *
 *   asleep → scheduled       the bell rang, or this thread has sent something and an answer is near
 *   scheduled → looking      when no other microtask is left
 *   looking → scheduled      something was there, and microtasks can't be run in place
 *   looking → waiting        nothing was, and it pays
 *   looking, waiting → asleep
 *
 * After a millisecond of this the next look comes from the event loop, behind its timers and I/O, so nothing starves;
 * and no ring gives more than a few records at a time, so no caller waits for another's flood.
 *
 * Invariant: while the thread is not asleep, a look is scheduled or under way. A look that throws leaves one scheduled.
 */
import {
  afterMicrotasks,
  clock,
  fallAsleep,
  onBell,
  postsNow,
  runMicrotasks,
  soon,
  stayAwake,
  type ThreadId,
} from '@flatshare/core/internal'
import type { Incoming } from './incoming.js'
import type { SharedLink } from './shared-link.js'
import { letCallerGoOn, noteRung, noteSleep, noteWoken, waitAwake } from './spinning.js'
import { flushLinks, sendingAfter } from './unsent.js'

/** So many records are taken from one ring before the next one's turn. */
const RECORDS_A_TURN = 64
/** So many are served before their answers go out. */
const RECORDS_A_BATCH = 8
/** Milliseconds. A record that takes longer is served, and answered, by itself. */
const QUICK = 0.02
/** Milliseconds after which the event loop has its turn. */
const LONGEST_TURN = 1
/** What was announced and isn't in a ring is for the event loop. */
const MOST_LOOKS = 4

const links: SharedLink[] = []
let first = 0

let state: 'asleep' | 'scheduled' | 'looking' = 'asleep'
/** When the event loop had its turn, 0 where the clock hasn't been asked since. */
let turnBegan = 0
let listens = false
/** Something was sent since the bell rang. */
let hasSent = false

export function attachLink(link: SharedLink): void {
  links.push(link)
  if (listens) return
  listens = true
  onBell(() => {
    turnBegan = 0
    if (state !== 'asleep') return
    noteRung()
    hasSent = false
    look(false)
  })
}

export function detachLink(link: SharedLink): void {
  const place = links.indexOf(link)
  if (place >= 0) links.splice(place, 1)
}

/** Looks when the microtasks of this turn are done: this thread is awake from now on. */
export function schedulePump(): void {
  if (state !== 'asleep') return
  stayAwake()
  turnBegan = 0
  again(afterMicrotasks)
}

/** Whether whoever sends something to this thread rings. */
export function isAtRest(): boolean {
  return state === 'asleep' && listens
}

/**
 * Something was published to another thread, which had to be woken, or was awake, so many milliseconds after something
 * had come from there.
 */
export function notePublished(to: ThreadId, woken: boolean, since: number): void {
  // Where this thread doesn't wait for it awake, whoever answers rings.
  if (woken && !noteWoken(to, since) && isAtRest()) return
  hasSent = true
  schedulePump()
}

/** When this thread last looked, in milliseconds of `clock`. */
export let lookBegan = 0

function again(how: (callback: () => void) => void): void {
  state = 'scheduled'
  how(lookOnStack)
}

/** Looks from a callback of the event loop's own, where microtasks can be run. */
function lookOnStack(): void {
  look(true)
}

function look(ownsStack: boolean): void {
  state = 'looking'
  try {
    let began = 0
    for (let looks = 0; looks < MOST_LOOKS; ) {
      const seen = postsNow()
      began ||= clock()
      lookBegan = began
      const ended = sendingAfter(receiveSome, began)
      if (ended > 0) {
        if (hasSent) letCallerGoOn(seen)
        if (!goesOn(ended, ownsStack)) return
        looks = 0
        began = 0
        continue
      }
      looks++
      began = waitAwake(seen, began, links)
      if (began !== 0 || !fallAsleep(seen)) continue
      noteSleep()
      state = 'asleep'
      return
    }
    again(soon)
    turnBegan = 0
  } finally {
    if (state === 'looking') again(soon)
  }
}

/** Whether it looks on now, when microtasks have run; else it will. */
function goesOn(now: number, ownsStack: boolean): boolean {
  if (turnBegan === 0) turnBegan = now
  if (now - turnBegan < LONGEST_TURN) {
    if (ownsStack && runMicrotasks()) return true
    again(afterMicrotasks)
  } else {
    turnBegan = 0
    again(soon)
  }
  return false
}

/** Receives some records of each ring, from now on; gives the time when that was done, 0 where there was nothing. */
function receiveSome(began: number): number {
  let now = 0
  for (let left = links.length; left > 0 && links.length > 0; left--) {
    first = (first + 1) % links.length
    const { incoming } = links[first]!
    if (incoming) now = receiveFrom(incoming, now || began) || now
  }
  return now
}

/** Receives some records of a ring: a few together where they are quickly served, one by one where that takes long. */
function receiveFrom(incoming: Incoming, began: number): number {
  let before = began
  let received = 0
  incoming.beginTurn()
  for (;;) {
    const batch = incoming.isQuick ? RECORDS_A_BATCH : 1
    const count = incoming.receive(batch)
    if (count === 0) return received > 0 ? before : 0
    received += count
    // Whoever waits for an answer doesn't wait for the clock.
    flushLinks()
    const now = clock()
    incoming.isQuick = now - before < count * QUICK
    before = now
    if (count < batch || received >= RECORDS_A_TURN || now - began > LONGEST_TURN) return now
  }
}
