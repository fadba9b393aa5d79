/** What a watcher is shown: the state at one moment, frozen. */
import { readLabel } from './block.js'
import { readCount, readDouble } from './counter.js'
import { At, DONE, FAR, WHOLE } from './layout.js'
import { type Limits, readLimits } from './limits.js'
import { isCancelled, position, settledMark } from './node.js'

/** The state of a progress at one moment: the value is within these very limits, whoever changes them meanwhile. */
export interface ProgressSnapshot {
  /** From `min` to `max`; `max` only at the end. */
  readonly value: number
  readonly min: number
  readonly max: number
  /** How many items are done. */
  readonly count: number
  /** Of how many; 0 while unknown. */
  readonly total: number
  readonly label: string
  /** From 0 to 1, finer than `value`. */
  readonly fraction: number
  readonly cancelled: boolean
  readonly done: boolean
  /** Items a second, lately. Missing until there is something to tell it by. */
  readonly rate?: number
  /** Milliseconds until the end at the present pace. Missing until there is something to tell it by. */
  readonly timeLeft?: number
}

export function valueWithin({ min, max }: Limits, mark: number): number {
  return mark & DONE ? max : min + Math.floor(((max - min) * (mark & FAR)) / WHOLE)
}

export function totalOf(at: number): number {
  return readDouble(at + At.total)
}

/** The items that are done, never more than there are. */
export function countOf(at: number): number {
  const count = readCount(at + At.count)
  const total = totalOf(at)
  return total > 0 && count > total ? Math.ceil(total) : count
}

function fractionOf(at: number, mark: number, count: number, total: number): number {
  if (mark & DONE) return 1
  const far = mark & FAR
  // The mark is rounded up to parts of 2³⁰; where it stands for the count, that says it exactly.
  return total > 0 && position(at, count) === far ? count / total : far / WHOLE
}

/** A snapshot without pace; `Pace` adds that. */
export function readSnapshot(at: number): ProgressSnapshot {
  const mark = settledMark(at)
  const limits = readLimits(at)
  const count = countOf(at)
  const total = totalOf(at)
  return {
    value: valueWithin(limits, mark),
    ...limits,
    count,
    total,
    label: readLabel(at),
    fraction: fractionOf(at, mark, count, total),
    cancelled: isCancelled(at),
    done: (mark & DONE) !== 0,
  }
}

/** Half of the weight lies on the last this many milliseconds. */
const MEMORY = 5_000

/** How fast it goes, averaged so that late times weigh more than early ones. */
export class Pace {
  #time: number
  #count = 0
  #fraction = 0
  #items = 0
  #parts = 0
  #weight = 0

  /** @param made when the progress was made, in milliseconds since the epoch. */
  constructor(made: number) {
    this.#time = made
  }

  /** Adds the pace to a snapshot. */
  measure(now: ProgressSnapshot, time = performance.timeOrigin + performance.now()): ProgressSnapshot {
    const elapsed = time - this.#time
    if (elapsed > 0) {
      const keep = 2 ** (-elapsed / MEMORY)
      this.#items = this.#items * keep + (now.count - this.#count)
      this.#parts = this.#parts * keep + (now.fraction - this.#fraction)
      this.#weight = this.#weight * keep + elapsed
      this.#time = time
      this.#count = now.count
      this.#fraction = now.fraction
    }
    const paced: { -readonly [key in keyof ProgressSnapshot]: ProgressSnapshot[key] } = now
    if (this.#items > 0) paced.rate = (this.#items / this.#weight) * 1000
    if (now.done) paced.timeLeft = 0
    else if (this.#parts > 0) paced.timeLeft = ((1 - now.fraction) * this.#weight) / this.#parts
    return Object.freeze(paced)
  }
}
