/** What a progress and a child of it are made with, checked. */
import { items } from './counter.js'

/** What a progress starts with. */
export interface ProgressOptions {
  /** How many items there are; 0, or not given, while unknown. */
  total?: number
  /** What people read beside the bar. */
  label?: string
  /** The value at the start: 1 unless given. */
  min?: number
  /** The value at the end: 1000 unless given. */
  max?: number
}

/** Which part of the parent a child takes, by one of `share` and `items`; all that is left where neither is given. */
export interface ChildOptions {
  /** A part of the parent's range, from 0 to 1; of the parent's items too, where their number is known. */
  share?: number
  /** So many of the parent's items. Where the parent's total was never given, it grows by them. */
  items?: number
  /** How many items the child has itself, if not those that it takes of its parent. */
  total?: number
  /** What people read beside the child's bar. */
  label?: string
}

const LOWEST = -0x80000000
const HIGHEST = 0x7fffffff
const WIDEST = 0x40000000

/** @throws RangeError for limits that are not whole numbers of 32 bits in order, at most 2³⁰ apart. */
export function checkLimits(min: number, max: number): void {
  const whole = Number.isInteger(min) && Number.isInteger(max)
  if (whole && min >= LOWEST && max <= HIGHEST && min <= max && max - min <= WIDEST) return
  throw new RangeError(
    `Limits are whole numbers of 32 bits, in order and at most 2³⁰ apart; not ${String(min)} and ${String(max)}.`,
  )
}

/** A total as it is kept: whole, 0 where it is unknown. */
export function wholeTotal(total: number): number {
  return total === Infinity ? 0 : items(total, 'total')
}

/** @throws TypeError for what are no options of `of`: a misspelt one would silently be none. */
export function checkNames(options: unknown, of: string, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${of} takes an object of options, { ${names.join(', ')} }; not ${String(options)}.`)
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown === undefined) return
  throw new TypeError(`There is no option "${unknown}" of ${of}: it has ${names.join(', ')}.`)
}
