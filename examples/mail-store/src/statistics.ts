import { FreeThreaded, Shared } from 'flatshare'
import { isFailure, type Outcome } from './message.js'

/** The archive is read in at most this many shares. */
export const mostShares = 512

const weekdays = Array.from({ length: 7 }, (_, day) => `weekday${day}` as const) // Monday first
const hours = Array.from({ length: 24 }, (_, hour) => `hour${hour}` as const)
/** A bit for each share that was counted. */
const marks = Array.from({ length: mostShares / 32 }, (_, word) => `mark${word}` as const)

const counters = Object.fromEntries([...weekdays, ...hours, ...marks].map((field) => [field, 'u32' as const]))

/**
 * What is counted over all messages: one object in shared memory, to which every reader adds on its own thread.
 * Each method runs under the object's lock, which the framework generates.
 */
@FreeThreaded({ shared: counters })
export class Statistics {
  @Shared('u32') parsed = 0
  @Shared('u32') failed = 0
  @Shared('f64') bytes = 0;
  [counter: `weekday${number}` | `hour${number}` | `mark${number}`]: number

  /** Counts a share of the archive, once: one that was read again, because its reader died, is not counted twice. */
  add(share: number, outcomes: readonly Outcome[]): void {
    const mark = marks[share >>> 5]
    const bit = 2 ** (share & 31)
    if (Math.floor(this[mark] / bit) % 2 === 1) return
    this[mark] += bit
    for (const outcome of outcomes) {
      this.bytes += outcome.size
      if (isFailure(outcome)) this.failed++
      else {
        this.parsed++
        if (outcome.weekday !== null) this[weekdays[outcome.weekday]]++
        if (outcome.hour !== null) this[hours[outcome.hour]]++
      }
    }
  }

  summarize() {
    const { parsed, failed, bytes } = this
    return {
      messages: parsed + failed,
      parsed,
      failed,
      bytes,
      weekdays: weekdays.map((day) => this[day]),
      hours: hours.map((hour) => this[hour]),
    }
  }
}
