/**
 * The protocol of one progress and its ancestors, by address. No lock, no message: see `layout.ts` for
 * the words and the invariants.
 *
 * A report adds to `count`, computes how far that is, and raises the mark. A child then credits its
 * parent with the difference, which raises the parent's mark, and so on upwards, for as long as anything
 * changes. Whoever raises a mark to the end (or cancels) sets `ended` and wakes those who wait.
 */
import { f64, i32 } from '@flatshare/core/internal'
import { addCount, readCount } from './counter.js'
import { At, CANCELLED, DONE, FAR, ITEM, RANGE, WHOLE } from './layout.js'

/** The mark of a progress: how far, and whether it ended. */
export function readMark(at: number): number {
  return Atomics.load(i32, (at + At.mark) >> 2)
}

/** Whether it, or one above it, was cancelled. */
export function isCancelled(at: number): boolean {
  for (let node = at; node !== 0; node = i32[(node + At.parent) >> 2]) if (readMark(node) < 0) return true
  return false
}

/** How far `count` items of this progress are, in parts of 2³⁰; the end is `WHOLE`. */
export function position(at: number, count: number): number {
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
  const done = Atomics.load(i32, (at + At.doneShare) >> 2)
  const count = readCount(at + At.count)
  if (done >= claimed && (claimed >= RANGE || (total > 0 && count >= total))) return WHOLE
  const partial = Atomics.load(i32, (at + At.partial) >> 2)
  const own = total > 0 ? Math.min(1, (count + partial / ITEM) / total) : 0
  return Math.max(0, Math.min(FAR, Math.ceil((own * (1 - claimed / RANGE) + done / RANGE) * WHOLE)))
}

/** Raises the mark, last seen as `mark`. Gives how far it raised it: 0 if it stood there already, or has ended. */
function raise(at: number, far: number, mark: number): number {
  const index = (at + At.mark) >> 2
  for (let seen = mark; ; ) {
    if (seen & DONE) return 0
    const ends = far >= WHOLE && seen >= 0
    const next = ends ? DONE | FAR : Math.min(far, FAR)
    if (!ends && (seen & FAR) >= next) return 0
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
  Atomics.store(i32, (at + At.ended) >> 2, 1)
  Atomics.notify(i32, (at + At.ended) >> 2)
}

/** Raises the mark, last seen as `mark`, and credits everything above. */
export function advanceTo(at: number, far: number, mark: number): void {
  let node = at
  for (let raised = raise(node, far, mark); raised > 0; ) {
    const parent = i32[(node + At.parent) >> 2]
    if (parent === 0) return
    const count = credit(node, parent, raised)
    if (count < 0) return
    raised = raise(parent, position(parent, count), readMark(parent))
    node = parent
  }
}

/** Credits the parent with a child's way to `now`. Gives the parent's count; -1 if others have done so already. */
function credit(child: number, parent: number, now: number): number {
  const index = (child + At.given) >> 2
  let before = Atomics.load(i32, index)
  for (;;) {
    if (before >= now) return -1
    const found = Atomics.compareExchange(i32, index, before, now)
    if (found === before) break
    before = found
  }
  const share = i32[(child + At.share) >> 2]
  if (share > 0) Atomics.add(i32, (parent + At.doneShare) >> 2, part(share, now) - part(share, before))
  return creditItems(parent, f64[(child + At.start) >> 3], f64[(child + At.end) >> 3], before, now)
}

function creditItems(parent: number, start: number, end: number, before: number, now: number): number {
  if (end <= start) return readCount(parent + At.count)
  const from = placeBetween(start, end, before)
  const to = placeBetween(start, end, now)
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
