/** When a process that has ended is started again, and after how long. */
import { checkedTimeout } from '@flatshare/core/internal'
import type { ProcessExit } from './running-process.js'

/** One start after an end, as `onRestart` hears of it. */
export interface Restart {
  /** How often it was started again by now, counting this time. */
  readonly restarts: number
  /** How the process before it has ended. */
  readonly exit: ProcessExit
  /** Why it has ended, where it has not ended well. */
  readonly cause: Error | undefined
  /** The process that now runs. */
  readonly pid: number | undefined
}

export interface RestartOptions {
  /**
   * When: `'never'`; `'on-failure'`, after any end but exit code 0; or `'always'`. A process that was closed or terminated
   * by its apartment isn't started again.
   */
  policy: 'never' | 'on-failure' | 'always'
  /** How many times at most `within` that time: 5 by default. After that it is given up. */
  maxRestarts?: number
  /** Milliseconds: 60,000 by default. */
  within?: number
  /** Milliseconds before a start, doubled for each that follows within that time, at most 30,000: 100 by default. */
  backoff?: number
  /** Called when it serves again. What it throws is an uncaught error of this process's. */
  onRestart?: (restart: Restart) => void
  /** Called when it won't be started any more, with the reason. */
  onGivenUp?: (error: Error) => void
}

const LONGEST_BACKOFF = 30_000

/** @throws TypeError and RangeError. */
export function checkedRestart(options: RestartOptions): Required<RestartOptions> {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError("restart is { policy: 'on-failure', maxRestarts, within, backoff }.")
  }
  const {
    policy,
    maxRestarts = 5,
    within = 60_000,
    backoff = 100,
    onRestart = () => {},
    onGivenUp = () => {},
  } = options
  if (policy !== 'never' && policy !== 'on-failure' && policy !== 'always') {
    throw new TypeError(`restart.policy is 'never', 'on-failure' or 'always'; ${String(policy)} was given.`)
  }
  if (!(Number.isInteger(maxRestarts) && maxRestarts >= 0) && maxRestarts !== Number.POSITIVE_INFINITY) {
    throw new RangeError(`restart.maxRestarts is a whole number from 0; ${String(maxRestarts)} was given.`)
  }
  if (typeof onRestart !== 'function' || typeof onGivenUp !== 'function') {
    throw new TypeError('restart.onRestart and restart.onGivenUp are functions.')
  }
  return {
    policy,
    maxRestarts,
    within: checkedTimeout(within, 'restart.within'),
    backoff: checkedTimeout(backoff, 'restart.backoff'),
    onRestart,
    onGivenUp,
  }
}

/** Decides by what has happened so far. */
export class RestartPolicy {
  /** How often it was started again. */
  restarts = 0
  #recent: number[] = []

  constructor(
    readonly options: Required<RestartOptions>,
    readonly now: () => number = Date.now,
  ) {}

  /** Milliseconds until it is to be started again; undefined where it isn't. */
  next(exit: ProcessExit): number | undefined {
    const { policy, maxRestarts, within, backoff } = this.options
    if (policy === 'never' || (policy === 'on-failure' && exit.code === 0)) return undefined
    const now = this.now()
    this.#recent = this.#recent.filter((time) => now - time < within)
    if (this.#recent.length >= maxRestarts) return undefined
    const pause = Math.min(LONGEST_BACKOFF, backoff * 2 ** this.#recent.length)
    this.#recent.push(now)
    this.restarts++
    return pause
  }
}
