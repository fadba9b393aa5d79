/**
 * When events are worth a run: once one is like the one before. Where runs stay short, as events of several names take
 * turns, more and more alike ones must follow each other before the next run is begun.
 */
import { type EventCount, type RaisedEvent, RaisedRun } from '@flatshare/core/internal'

/** A run of fewer events was none. */
const SHORT = 8
const MOST_PATIENCE = 1_024

export class Runs {
  #open: RaisedRun | undefined
  #last: RaisedEvent | undefined
  /** Flat events of one name and shape that have followed each other. */
  #alike = 0
  /** So many must. */
  #patience = 1

  /** The run that has taken the event; undefined where it goes by itself, and `passed` is told of it. */
  add(event: string, payload: unknown, count: EventCount): RaisedRun | undefined {
    const open = this.#open
    if (open) {
      if (open.add(event, payload, count)) return open
      this.#close(open)
      // A long one was full.
      if (open.event !== event || open.length < SHORT) return undefined
    } else if (this.#alike < this.#patience || this.#last?.event !== event) return undefined
    const run = RaisedRun.of(event, payload, count)
    if (!run) return undefined
    this.#last = undefined
    return (this.#open = run)
  }

  #close(run: RaisedRun): void {
    this.#open = undefined
    this.#alike = 0
    this.#patience = run.length < SHORT ? Math.min(this.#patience * 2, MOST_PATIENCE) : 1
  }

  /** An event goes by itself. */
  passed(raised: RaisedEvent): void {
    const last = this.#last
    this.#last = raised
    this.#alike =
      last && raised.isFlat && last.event === raised.event && last.shape === raised.shape ? this.#alike + 1 : 0
  }
}
