/**
 * What a parent is credited with for a child's way.
 *
 * Most children go by `given`: how far they have come, in parts of 2³⁰, of which each credit is a function. That is exact
 * as long as a part isn't more than what can be missing of an item. Where it may be (the child takes more than 2³⁰ items,
 * or has more itself, or the two numbers don't go into each other, or it isn't known yet how many it has), the child is
 * FINE from the start, and goes by `given items`: whole items of the parent, counted from the whole item in which the
 * child's part starts.
 *
 *   given items    0          nothing, or no whole item yet
 *                  n          the first n are done
 *                  THROUGH    the child is done, and so is its part, to the last fraction of an item
 *
 * Either word only rises, and whoever raises it credits the parent with the difference of the two places that it stands
 * for. So credits telescope, in whatever order they come.
 */
import { views } from '@flatshare/core/internal'
import { addCount, readCount } from './counter.js'
import { At, FINE, ITEM, WHOLE } from './layout.js'

// Engines compile in what a module's constants hold.
const memory = views

const THROUGH = 1n << 62n

/** Whether parts of 2³⁰ are too coarse for a child that takes so many items of its parent. */
export function needsFine(taken: number, total: number): boolean {
  return taken > 0 && (taken > WHOLE || total > WHOLE || total <= 0 || isUneven(taken, total))
}

/** Whether what is left of an item may be less than a part, as neither number goes into the other. */
function isUneven(taken: number, total: number): boolean {
  return Number.isInteger(taken) && taken * total > WHOLE && taken % total !== 0 && total % taken !== 0
}

/**
 * Credits the parent with a child's way to `now`, in parts of 2³⁰. Gives the parent's count; -1 if others have done so
 * already.
 *
 * @param counts whether the child's count says how far it is, not a value that was reported.
 */
export function credit(child: number, parent: number, now: number, counts: boolean): number {
  const { i32, f64 } = memory
  const start = f64[(child + At.start) >> 3]
  const end = f64[(child + At.end) >> 3]
  if ((i32[(child + At.flags) >> 2] & FINE) !== 0) return creditFine(child, parent, start, end, now, counts)
  const index = (child + At.given) >> 2
  let before = i32[index]
  for (;;) {
    if (before >= now) return -1
    const found = Atomics.compareExchange(i32, index, before, now)
    if (found === before) break
    before = found
  }
  const share = i32[(child + At.share) >> 2]
  if (share > 0) Atomics.add(i32, (parent + At.doneShare) >> 2, part(share, now) - part(share, before))
  if (end <= start) return readCount(parent + At.count)
  return creditItems(parent, placeBetween(start, end, before), placeBetween(start, end, now))
}

function creditFine(child: number, parent: number, start: number, end: number, far: number, counts: boolean): number {
  const { i64 } = memory
  const now = far === WHOLE ? THROUGH : BigInt(wholeItems(child, start, end, far, counts))
  const index = (child + At.givenItems) >> 3
  let before = Atomics.load(i64, index)
  for (;;) {
    if (before >= now) return -1
    const found = Atomics.compareExchange(i64, index, before, now)
    if (found === before) break
    before = found
  }
  return creditItems(parent, placeAfter(start, end, before), placeAfter(start, end, now))
}

/** How many whole items of its parent a child has done that is not through. */
function wholeItems(child: number, start: number, end: number, far: number, counts: boolean): number {
  const first = Math.floor(start)
  const all = Math.ceil(end) - 1 - first
  return Math.max(0, Math.min(all, Math.floor(itemsDone(child, end - start, start - first, far, counts))))
}

/** @param before how much of the first item lies before the child's part. */
function itemsDone(child: number, taken: number, before: number, far: number, counts: boolean): number {
  const { i32, f64 } = memory
  if (!counts) return before + (taken / WHOLE) * far
  const total = f64[(child + At.total) >> 3]
  // How far shares have come is rounded up: a part less has certainly been done.
  if (total <= 0 || i32[(child + At.claimedShare) >> 2] !== 0) return before + (taken / WHOLE) * (far - 1)
  const partial = Atomics.load(i32, (child + At.partial) >> 2) / ITEM
  const count = readCount(child + At.count)
  // Doubles hold no fraction beside a large count.
  if (taken === total) return count + Math.floor(before + partial)
  if (before !== 0 || partial !== 0 || !Number.isInteger(taken)) return before + (taken / total) * (count + partial)
  const product = taken * count
  // A whole number of 53 bits is never rounded across one by a division.
  if (product <= Number.MAX_SAFE_INTEGER) return product / total
  return Number((BigInt(taken) * BigInt(count)) / BigInt(total))
}

/** Where a child stands in its parent's items after so many whole ones. */
function placeAfter(start: number, end: number, given: bigint): number {
  return given === THROUGH ? end : Math.max(start, Math.floor(start) + Number(given))
}

function creditItems(parent: number, from: number, to: number): number {
  const { i32 } = memory
  const wholeFrom = Math.floor(from)
  const wholeTo = Math.floor(to)
  const partial = Math.floor((to - wholeTo) * ITEM) - Math.floor((from - wholeFrom) * ITEM)
  // Whatever falls goes first: a moment's too little is made good, a moment's too much would stay.
  if (partial < 0) Atomics.add(i32, (parent + At.partial) >> 2, partial)
  const whole = wholeTo - wholeFrom
  const count = whole > 0 ? addCount(parent + At.count, whole) : -1
  if (partial > 0) Atomics.add(i32, (parent + At.partial) >> 2, partial)
  return count >= 0 ? count : readCount(parent + At.count)
}

function part(share: number, far: number): number {
  return far === WHOLE ? share : Math.floor((share / WHOLE) * far)
}

/** Where a child stands in its parent's items; at `end` only when it is done. */
function placeBetween(start: number, end: number, far: number): number {
  if (far === 0) return start
  if (far === WHOLE) return end
  const place = start + ((end - start) / WHOLE) * far
  return Math.max(start, place < end ? place : end - 1 / ITEM)
}
