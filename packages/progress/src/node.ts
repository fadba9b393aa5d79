/**
 * The protocol of one progress and its ancestors, by address. No lock, no message: see `layout.ts` for
 * the words and the invariants.
 *
 *   reporter                                      reader
 *   count += n                                    count := what is counted
 *   top level, and not the end: that was all      flags say BY_VALUE: the mark stands for itself
 *   given := how far that is, if that is more     else raise the mark to how far the count is
 *   credit the parent with the difference         show the mark, on the scale of the limits
 *   … and so on upwards, while anything changes
 *   at an end: raise the mark, wake who waits
 *
 * So a report costs one atomic addition and, below the top, a credit to the parent; how far that is, is found by
 * whoever looks. What has been shown is in the mark, so it never goes back, even where the total grows later.
 *
 * Who reports a value of its own, beside a count, sets BY_VALUE first: from then on the count says nothing about the
 * value, and `advance` raises the mark itself. A reader looks at the count before it looks at the flag, so it never
 * takes a count that came with a value for a position. (An `advance` on another thread at the very moment when the flag
 * is set first may be shown by the next one only.)
 */
import { views } from '@flatshare/core/internal'
import { addCount, readCount } from './counter.js'
import { credit } from './credit.js'
import { At, BY_VALUE, CANCELLED, DONE, FAR, ITEM, RANGE, WHOLE } from './layout.js'

// Engines compile in what a module's constants hold.
const memory = views

/** The mark of a progress: how far, and whether it ended. */
export function readMark(at: number): number {
  const { i32 } = memory
  return Atomics.load(i32, (at + At.mark) >> 2)
}

/**
 * Whether it, or one above it, was cancelled, for who has just changed something by an atomic operation: plain reads
 * after that are as fresh, and cost a fifth on Node 20, where atomic ones are calls into the runtime.
 */
export function wasCancelled(at: number): boolean {
  const { i32 } = memory
  for (let node = at; node !== 0; node = i32[(node + At.parent) >> 2]) if (i32[(node + At.mark) >> 2] < 0) return true
  return false
}

/** Whether it, or one above it, was cancelled. */
export function isCancelled(at: number): boolean {
  const { i32 } = memory
  for (let node = at; node !== 0; node = i32[(node + At.parent) >> 2]) if (readMark(node) < 0) return true
  return false
}

/** How far `count` items of this progress are, in parts of 2³⁰; the end is `WHOLE`. */
export function position(at: number, count: number): number {
  const { i32, f64 } = memory
  const total = f64[(at + At.total) >> 3]
  const claimed = i32[(at + At.claimedShare) >> 2]
  if (claimed !== 0) return mixedPosition(at, total, claimed)
  if (total <= 0) return 0
  if (count >= total) return WHOLE
  const items = count + i32[(at + At.partial) >> 2] / ITEM
  const far = Math.ceil((items / total) * WHOLE)
  // The division may have rounded down across a whole number.
  return Math.min(FAR, (far / WHOLE) * total < items ? far + 1 : far)
}

/** Where children have shares of the range, the progress's own items make up what is left of it. */
function mixedPosition(at: number, total: number, claimed: number): number {
  const { i32 } = memory
  const done = Atomics.load(i32, (at + At.doneShare) >> 2)
  const count = readCount(at + At.count)
  if (done >= claimed && (claimed >= RANGE || (total > 0 && count >= total))) return WHOLE
  const partial = Atomics.load(i32, (at + At.partial) >> 2)
  const own = total > 0 ? Math.min(1, (count + partial / ITEM) / total) : 0
  return Math.max(0, Math.min(FAR, Math.ceil((own * (1 - claimed / RANGE) + done / RANGE) * WHOLE)))
}

/** Raises the mark. Gives where it stands then: `WHOLE` at the end, which it doesn't reach once it is cancelled. */
function raise(at: number, far: number): number {
  const { i32 } = memory
  const index = (at + At.mark) >> 2
  for (let seen = i32[index]; ; ) {
    if (seen & DONE) return WHOLE
    const ends = far >= WHOLE && seen >= 0
    const next = ends ? DONE | FAR : Math.min(far, FAR)
    if (!ends && (seen & FAR) >= next) return seen & FAR
    const found = Atomics.compareExchange(i32, index, seen, (seen & CANCELLED) | next)
    if (found === seen) {
      if (ends) ring(at)
      return ends ? WHOLE : next
    }
    seen = found
  }
}

/** Marks it cancelled. Gives false if it has ended already. */
export function markCancelled(at: number): boolean {
  const { i32 } = memory
  const index = (at + At.mark) >> 2
  for (let seen = Atomics.load(i32, index); ; ) {
    if (seen < 0 || seen & DONE) return false
    const found = Atomics.compareExchange(i32, index, seen, seen | CANCELLED)
    if (found === seen) break
    seen = found
  }
  ring(at)
  return true
}

function ring(at: number): void {
  const { i32 } = memory
  Atomics.store(i32, (at + At.ended) >> 2, 1)
  Atomics.notify(i32, (at + At.ended) >> 2)
}

/** Counts `n` more items. */
export function countMore(at: number, n: number): void {
  const sum = addCount(at + At.count, n)
  if (!isMidway(at, sum)) arrive(at, position(at, sum))
}

/** The mark with all that has been counted so far. */
export function settledMark(at: number): number {
  const mark = readMark(at)
  if (mark & DONE) return mark
  const far = position(at, readCount(at + At.count))
  if (standsForItself(at)) return mark
  if (far >= WHOLE) arrive(at, far)
  else raise(at, far)
  return readMark(at)
}

/** Whether counts say nothing about the value. */
export function standsForItself(at: number): boolean {
  return (memory.i32[(at + At.flags) >> 2] & BY_VALUE) !== 0
}

/** From now on counts say nothing about the value. */
export function goByValue(at: number): void {
  if (standsForItself(at)) return
  settledMark(at)
  Atomics.or(memory.i32, (at + At.flags) >> 2, BY_VALUE)
}

/** Says how far it is by itself, not by a count. */
export function moveTo(at: number, far: number): void {
  creditAbove(at, raise(at, far), false)
}

/** A progress has come so far by its count. */
function arrive(at: number, far: number): void {
  const to = far >= WHOLE || standsForItself(at) ? raise(at, far) : far
  creditAbove(at, to, far >= WHOLE || to === far)
}

/**
 * Credits everything above with a progress that has come so far.
 *
 * @param counted whether that is where its count is, not a value that was reported.
 */
function creditAbove(at: number, far: number, counted: boolean): void {
  const { i32 } = memory
  let to = far
  let counts = counted
  for (let node = at, parent = i32[(node + At.parent) >> 2]; parent !== 0; parent = i32[(node + At.parent) >> 2]) {
    const count = credit(node, parent, to, counts)
    if (count < 0) return
    node = parent
    if (isMidway(node, count)) return
    const place = position(node, count)
    to = place >= WHOLE || standsForItself(node) ? raise(node, place) : place
    counts = place >= WHOLE || to === place
  }
}

/** Whether a progress has nobody to credit, and only counts: then how far it is, is found by whoever looks. */
function isMidway(at: number, count: number): boolean {
  const { i32, f64 } = memory
  if (i32[(at + At.parent) >> 2] !== 0 || (i32[(at + At.flags) >> 2] & BY_VALUE) !== 0) return false
  const total = f64[(at + At.total) >> 3]
  return total > 0 && count < total
}
