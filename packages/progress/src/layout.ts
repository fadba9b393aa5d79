/**
 * A progress in shared memory: one block of the arena, changed by atomic operations alone.
 *
 * Offsets in bytes:
 *
 *   0  holders        handles on all threads, children, packets under way; the block goes back at 0
 *   4  mark           bit 31 CANCELLED │ bit 30 DONE │ bits 0 … 29: how far was shown, in parts of 2³⁰
 *   8  ended          0 → 1 with DONE or CANCELLED; those who wait, wait here
 *  12  flags          1 top level, 2 the total grows with the children's items, 4 the value was reported by itself,
 *                     8 it credits its parent by whole items
 *  16  limits         min, 20: max, whole numbers that are read and changed as one word: see `limits.ts`
 *  24  count          whole items, 64 bits: see `counter.ts`
 *  32  total          double; 0 is unknown
 *  40  claimed items  double: the end of the last part of the total that was given to a child
 *  48  partial        what children have done of items that aren't whole yet, in parts of 2¹⁶, signed
 *  52  claimed share  what children have of the range where the total is unknown, in parts of 10⁹
 *  56  done share     what they have done of that
 *  60  given          how much of this child's own 2³⁰ its parent has been credited with
 *  64  start          72  end: this child's part of its parent's items, doubles
 *  80  share          this child's part of its parent's range, in parts of 10⁹, where items are unknown
 *  84  parent         88  length of the label       92  reason: address of the cancel's, 0 if none
 *  96  made           double: milliseconds since the epoch
 * 104  bytes          of the whole block
 * 108  sent           threads that had ended when this or a child was last sent away, plus 1
 * 112  given items    64 bits: of a child with flag 8, in the place of `given`: see `credit.ts`
 * 120  label          UTF-16
 *
 * Invariants
 * - "How far", `given`, `given items` and `count` only rise. DONE and CANCELLED exclude each other and never fall.
 * - Limits that are read are the two of one change: min is never beyond max. A value is of the limits that it is read with.
 * - How far is 2³⁰ only together with DONE, so a value of `max` is the end and nothing else.
 * - A parent is credited for each step of `given` (or `given items`) by whoever made that step, and the credit is a
 *   function of the two positions alone; so credits telescope, and a child that is done has given
 *   exactly its part, whoever reported in whatever order.
 */
export const At = {
  holders: 0,
  mark: 4,
  ended: 8,
  flags: 12,
  limits: 16,
  count: 24,
  total: 32,
  claimedItems: 40,
  partial: 48,
  claimedShare: 52,
  doneShare: 56,
  given: 60,
  start: 64,
  end: 72,
  share: 80,
  parent: 84,
  labelLength: 88,
  reason: 92,
  made: 96,
  bytes: 104,
  sent: 108,
  givenItems: 112,
  label: 120,
} as const

export const CANCELLED = 0x80000000 | 0
export const DONE = 0x40000000
/** The bits that say how far, and the farthest that is not the end. */
export const FAR = 0x3fffffff
/** How far the end is. */
export const WHOLE = 0x40000000

/** One item in `partial`. */
export const ITEM = 0x10000
/** The whole range in shares: decimal, so that tenths are exact. */
export const RANGE = 1_000_000_000

export const TOP_LEVEL = 1
export const GROWS = 2
export const BY_VALUE = 4
export const FINE = 8
