/**
 * Finds out that another process answers no more, though it has not ended: it is stopped, or its machine is out of reach.
 *
 *   quiet → asked   at each beat where nothing came since the last: it is asked for a sign
 *   asked → quiet   something came
 *   asked → lost    as many beats without a sign as make up the timeout, and still none after what has come was read
 *
 * Beats are counted, not the clock: a process that was itself stopped, or that computed for long, finds one beat missed
 * when it goes on, and what came meanwhile is read before anything is concluded.
 */
import { checkedTimeout } from '@flatshare/core/internal'

/** How the other process is found to answer no more. */
export interface HeartbeatOptions {
  /** Milliseconds between two beats: 2,000 by default. */
  interval?: number
  /** Milliseconds without a sign after which it counts as gone: 10,000 by default. */
  timeout?: number
}

const INTERVAL = 2_000
const SILENCE = 10_000

/** @throws TypeError and RangeError for what is no heartbeat. */
export function checkedHeartbeat(options: HeartbeatOptions): Required<HeartbeatOptions> {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('heartbeat is { interval, timeout } in milliseconds, or false.')
  }
  const interval = checkedTimeout(options.interval ?? INTERVAL, 'heartbeat.interval')
  const timeout = checkedTimeout(options.timeout ?? Math.max(SILENCE, interval), 'heartbeat.timeout')
  if (interval < 1 || timeout < interval || !Number.isFinite(timeout)) {
    throw new RangeError(
      `heartbeat.timeout is finite and not less than heartbeat.interval, which is at least 1: ${timeout} and ${interval} were given.`,
    )
  }
  return { interval, timeout }
}

export interface HeartbeatActions {
  /** Asks the other process for a sign. */
  ask(): void
  /** Nothing has come for so many milliseconds. */
  lost(timeout: number): void
}

export class Heartbeat {
  readonly #timer: NodeJS.Timeout
  readonly #most: number
  #missed = 0
  #heard = false
  #stopped = false

  constructor(
    readonly settings: Required<HeartbeatOptions>,
    readonly actions: HeartbeatActions,
  ) {
    this.#most = Math.max(2, Math.ceil(settings.timeout / settings.interval))
    this.#timer = setInterval(() => this.#beat(), settings.interval)
    this.#timer.unref()
  }

  /** Something came. */
  heard(): void {
    this.#heard = true
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
  }

  #beat(): void {
    this.#missed = this.#heard ? 0 : this.#missed + 1
    this.#heard = false
    if (this.#missed >= this.#most) {
      // After what has come in this turn of the event loop.
      setImmediate(() => this.#conclude())
    } else {
      this.actions.ask()
    }
  }

  #conclude(): void {
    if (this.#heard || this.#stopped) return
    this.stop()
    this.actions.lost(this.settings.timeout)
  }
}
