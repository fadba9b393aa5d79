import { FreeThreaded, Shared } from 'flatshare'
import { isFailure, type Outcome } from './message.js'

/** The archive is read in at most this many shares. */
export const mostShares = 4096

/**
 * What is counted over all messages: one object in shared memory, to which every reader adds on its own thread.
 * Each method runs under the object's lock, which the framework generates.
 */
@FreeThreaded()
export class Statistics {
  @Shared('u32') parsed = 0
  @Shared('u32') failed = 0
  @Shared('f64') bytes = 0
  /** Monday first. */
  @Shared('u32[7]') readonly weekdays = new Uint32Array(7)
  @Shared('u32[24]') readonly hours = new Uint32Array(24)
  /** A bit for each share that was counted. */
  @Shared('u32[128]') private readonly counted = new Uint32Array(mostShares / 32)

  /** Counts a share of the archive, once: a share that was read again after its reader died is not counted twice. */
  add(share: number, outcomes: readonly Outcome[]): void {
    const [word, bit] = [share >>> 5, 1 << (share & 31)]
    if ((this.counted[word] & bit) !== 0) return
    this.counted[word] |= bit
    for (const outcome of outcomes) {
      this.bytes += outcome.size
      if (isFailure(outcome)) this.failed++
      else {
        this.parsed++
        if (outcome.weekday !== null) this.weekdays[outcome.weekday]++
        if (outcome.hour !== null) this.hours[outcome.hour]++
      }
    }
  }

  summarize() {
    const { parsed, failed, bytes } = this
    return { messages: parsed + failed, parsed, failed, bytes, weekdays: [...this.weekdays], hours: [...this.hours] }
  }
}
