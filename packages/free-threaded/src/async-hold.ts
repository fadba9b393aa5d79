/**
 * Holding an object's lock across `await`, by causality.
 *
 * One *hold* stands for one async call. The outermost holds of a thread wait for the lock itself, in
 * order. A call made from inside another, as its frames tell, is nested: it needs no lock, but it takes
 * its turn among the calls nested in the same one, or two siblings of one `Promise.all` would interleave.
 * So the holds of an object on a thread form a chain, outermost first:
 *
 *   root ── inner ── inner          only the innermost one's code may touch the object
 *     └─ queue: siblings of inner
 *
 *   ended, nothing inner       gone: the lock (or the outer hold's queue) passes on
 *   ended, inner still runs    a call that was started and not awaited: the lock waits for it
 *
 * Invariants
 * - `roots` has a hold for an address exactly while this thread owns the lock in mode ASYNC (or in SYNC,
 *   during a segment).
 * - A hold goes in only while its outer one has not ended; who was queued at one that ended starts over.
 * - Between the moment when the lock comes to this thread and the start of the waiting call, synchronous
 *   code may find the lock owned in mode SYNC and run: nothing else has begun, and it ends before that.
 */
import { currentFrame, type Frame, i32, ownThreadId, runInFrame, trackAcrossAwait } from '@flatshare/core/internal'
import { acquire, release } from '@flatshare/sync/internal'
import { ASYNC, abandoned, MODE, SYNC } from './lock-mode.js'
import { Queue } from './queue.js'

class Hold {
  ended = false
  inner: Hold | undefined
  readonly queue = new Queue()

  constructor(
    readonly address: number,
    readonly outer: Hold | undefined,
  ) {}
}

const roots = new Map<number, Hold>()
/** How many calls of this thread wait for a lock: later ones go behind them. */
const waiting = new Map<number, number>()

/** Whether the running code was called by the innermost async call that is inside. */
export function heldOnPath(address: number): boolean {
  let innermost = roots.get(address)
  if (!innermost) return false
  while (innermost.inner) innermost = innermost.inner
  for (let frame = currentFrame(); frame; frame = frame.parent) if (frame.holds === innermost) return true
  return false
}

/**
 * Runs an async call under the object's lock, without ever blocking this thread. It starts at once where
 * nobody else is inside.
 *
 * @throws AbandonedError, once, after a thread died inside.
 */
export async function runInside<R>(address: number, what: () => string, fn: () => R | Promise<R>): Promise<R> {
  trackAcrossAwait()
  const parent = currentFrame()
  const hold = goInNow(address, parent) ?? (await goIn(address, what, parent))
  try {
    return await runInFrame({ parent, holds: hold }, fn)
  } finally {
    end(hold)
  }
}

/** As `runInside`, for code that is synchronous once it is in. */
export function runInsideSync<R>(address: number, what: () => string, fn: () => R): Promise<R> {
  return runInside(address, what, () => {
    const mode = (address >> 2) + MODE
    i32[mode] = SYNC
    try {
      return fn()
    } finally {
      i32[mode] = ASYNC
    }
  })
}

function outerHold(address: number, frame: Frame | undefined): Hold | undefined {
  for (let at = frame; at; at = at.parent) {
    if (at.holds instanceof Hold && at.holds.address === address && !at.holds.ended) return at.holds
  }
  return undefined
}

function goInNow(address: number, frame: Frame | undefined): Hold | undefined {
  const outer = outerHold(address, frame)
  if (outer) {
    // Not from within a segment: its synchronous code is still inside.
    if (i32[(address >> 2) + MODE] === SYNC || !outer.queue.tryEnter()) return undefined
    return (outer.inner = new Hold(address, outer))
  }
  if (waiting.has(address) || Atomics.compareExchange(i32, address >> 2, 0, ownThreadId()) !== 0) return undefined
  return becomeRoot(address)
}

async function goIn(address: number, what: () => string, frame: Frame | undefined): Promise<Hold> {
  for (;;) {
    const outer = outerHold(address, frame)
    if (!outer) break
    await outer.queue.enter()
    if (!outer.ended) return (outer.inner = new Hold(address, outer))
    outer.queue.leave()
  }
  waiting.set(address, (waiting.get(address) ?? 0) + 1)
  try {
    const outcome = await acquire(address, { what })
    if (outcome === 'abandoned') {
      release(address)
      throw abandoned(what())
    }
    return becomeRoot(address)
  } finally {
    const left = waiting.get(address)! - 1
    if (left === 0) waiting.delete(address)
    else waiting.set(address, left)
  }
}

function becomeRoot(address: number): Hold {
  const hold = new Hold(address, undefined)
  roots.set(address, hold)
  i32[(address >> 2) + MODE] = ASYNC
  return hold
}

function end(hold: Hold): void {
  hold.ended = true
  if (!hold.inner) passOn(hold)
}

function passOn(hold: Hold): void {
  const { address, outer } = hold
  if (outer) {
    outer.inner = undefined
    outer.queue.leave()
    if (outer.ended) passOn(outer)
    return
  }
  roots.delete(address)
  i32[(address >> 2) + MODE] = SYNC
  release(address)
}
