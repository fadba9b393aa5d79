/** How many threads a pool has, and what it does when they are all busy. */
import { checkedTimeout } from '@flatshare/core/internal'
import { checkOpening, type OpenOptions, spareCores, type WorkerSource } from './apartment-options.js'

export interface PoolOptions extends Omit<OpenOptions, 'transferList' | 'stdout' | 'stderr' | 'signal'> {
  /** What errors call the pool; its threads are `name-1`, `name-2`, …: `pool` by default. */
  name?: string
  /** So many threads, always: `min` and `max` in one. */
  size?: number
  /** Threads that stay however idle they are: 1 by default. They start when the pool is first used. */
  min?: number
  /** Threads at most: one for each core but one by default. A thread is started when a call finds none free. */
  max?: number
  /** Calls that one thread has at a time: 1 by default. More is for methods that mostly wait. */
  concurrency?: number
  /** Calls that may wait for a free thread: no limit by default. Any more reject at once with `QueueFullError`. */
  maxQueue?: number
  /** Milliseconds after which an idle thread, down to `min`, ends: 10,000 by default. */
  idleTimeout?: number
  /**
   * Whether the pool keeps the process alive until it is closed. By default only its calls in progress do, so that a
   * program that forgets to close it ends all the same (Node).
   */
  keepAlive?: boolean
}

/** Options with nothing left open. */
export interface PoolLimits {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly concurrency: number
  readonly maxQueue: number
  readonly idleTimeout: number
}

const IDLE_TIMEOUT = 10_000

/** The options that a pool doesn't have, and why. */
const refused: Readonly<Record<string, string>> = {
  transferList: 'what is moved goes to one thread, and a pool has many.',
  stdout: 'its threads come and go; open an apartment to read what it prints.',
  stderr: 'its threads come and go; open an apartment to read what it prints.',
}

/**
 * Checks the options of a pool.
 *
 * @throws TypeError and RangeError.
 */
export function checkedLimits(source: WorkerSource, options: PoolOptions): PoolLimits {
  checkOpening(source, options, 'A pool', true)
  for (const [option, why] of Object.entries(refused)) {
    if ((options as Record<string, unknown>)[option] !== undefined)
      throw new TypeError(`A pool has no ${option}: ${why}`)
  }
  const { name = 'pool', size, idleTimeout = IDLE_TIMEOUT } = options
  if (size !== undefined && (options.min !== undefined || options.max !== undefined)) {
    throw new TypeError('size is min and max in one: give it, or them.')
  }
  const max = count('max', size ?? options.max ?? Math.max(spareCores(), options.min ?? 1), 1)
  const min = count('min', size ?? options.min ?? 1, 0)
  if (min > max) throw new RangeError(`min is ${min} and max ${max}: a pool has at least min threads and at most max.`)
  return {
    name,
    min,
    max,
    concurrency: count('concurrency', options.concurrency ?? 1, 1),
    maxQueue: count('maxQueue', options.maxQueue ?? Number.POSITIVE_INFINITY, 0),
    idleTimeout: checkedTimeout(idleTimeout, 'idleTimeout'),
  }
}

/** A whole number from `least`, or infinity where that makes sense. */
export function count(option: string, value: number, least: number): number {
  const infinite = option !== 'min' && option !== 'max' && value === Number.POSITIVE_INFINITY
  if ((Number.isInteger(value) && value >= least) || infinite) return value
  throw new RangeError(`${option} is a whole number from ${least}; this one is ${String(value)}.`)
}
