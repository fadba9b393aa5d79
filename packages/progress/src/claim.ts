/**
 * Which part of its parent a new child takes.
 *
 * Parts are cut one after the other from what is left, so they never overlap, and parts that should
 * make up the whole do so exactly, whatever their rounding.
 */
import { i32 } from '@flatshare/core/internal'
import { changeDouble, items, readCount, readDouble } from './counter.js'
import { At, GROWS, RANGE } from './layout.js'
import { type Limits, readLimits } from './limits.js'

/** What is left over by less than this is rounding. */
const CRUMB = 1e-6

/** A child's part of its parent. */
export interface Claim {
  /** Of the parent's items; both 0 where the part is one of the range. */
  start: number
  end: number
  /** Of the parent's range, in parts of 10⁹. */
  share: number
  /** The part of the parent's limits that goes with it. */
  min: number
  max: number
  /** How many items the child has itself, 0 if unknown. */
  total: number
}

export function claim(parent: number, share: number | undefined, count: number | undefined): Claim {
  if (count !== undefined) return claimItems(parent, items(count, 'items'))
  if (share !== undefined && (typeof share !== 'number' || Number.isNaN(share))) {
    throw new TypeError(`share is a number from 0 to 1, not ${String(share)}.`)
  }
  // Whatever is asked for, no more is given than is left.
  const part = Math.max(0, Math.min(1, share ?? 1))
  const total = readDouble(parent + At.total)
  if (total > 0 && !grows(parent))
    return claimTotal(parent, total, share === undefined ? left(parent, total) : part * total)
  return claimRange(parent, Math.round(part * RANGE))
}

/** The items that neither children nor the parent's own reports have taken. */
function left(parent: number, total: number): number {
  return Math.max(0, total - Math.max(readDouble(parent + At.claimedItems), readCount(parent + At.count)))
}

function grows(parent: number): boolean {
  return (Atomics.load(i32, (parent + At.flags) >> 2) & GROWS) !== 0
}

function claimItems(parent: number, count: number): Claim {
  if (!grows(parent)) return { ...claimTotal(parent, readDouble(parent + At.total), count), total: count }
  const start = changeDouble(parent + At.total, (total) => total + count)
  return { start, end: start + count, share: 0, total: count, ...limits(parent, start, start + count, start + count) }
}

function claimTotal(parent: number, total: number, count: number): Claim {
  let start = 0
  let end = 0
  changeDouble(parent + At.claimedItems, (claimed) => {
    // Items that the parent's own reports have done lie before this part.
    start = Math.max(0, Math.min(total - count, Math.max(claimed, readCount(parent + At.count))))
    start = Math.min(total, Math.max(start, claimed))
    end = Math.min(total, start + count)
    const whole = Math.round(end)
    if (Math.abs(end - whole) < Math.min(CRUMB, count / 2)) end = whole
    return end
  })
  return { start, end, share: 0, total: Math.round(count), ...limits(parent, start, end, total) }
}

function claimRange(parent: number, wanted: number): Claim {
  const index = (parent + At.claimedShare) >> 2
  for (let claimed = Atomics.load(i32, index); ; ) {
    let share = Math.min(wanted, RANGE - claimed)
    const left = RANGE - claimed - share
    if (left < Math.min(CRUMB * RANGE, share / 2)) share += left
    const found = Atomics.compareExchange(i32, index, claimed, claimed + share)
    if (found === claimed) {
      return { start: 0, end: 0, share, total: 0, ...limits(parent, claimed, claimed + share, RANGE) }
    }
    claimed = found
  }
}

function limits(parent: number, start: number, end: number, whole: number): Limits {
  const { min, max } = readLimits(parent)
  const range = max - min
  if (whole <= 0) return { min, max: min }
  return { min: min + Math.floor((range * start) / whole), max: min + Math.floor((range * end) / whole) }
}
