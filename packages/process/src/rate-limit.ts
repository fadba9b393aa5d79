/** How much may come in a second. */
import { clock } from '@flatshare/core/internal'

/** How much of what comes is read in a second; what is more waits at the sender. */
export interface Rate {
  /** Bytes in a second. */
  bytes?: number
  /** Frames in a second. */
  frames?: number
}

/**
 * Counts what came against an allowance that grows with time, up to that of one second. What came is never refused: it
 * tells how long to read nothing.
 */
export class RateLimit {
  #last: number
  #bytes: number
  #frames: number

  constructor(
    readonly rate: Required<Rate>,
    readonly now: () => number = clock,
  ) {
    this.#last = now()
    this.#bytes = rate.bytes
    this.#frames = rate.frames
  }

  /** Notes what came; gives how many milliseconds to wait before more is read. */
  spend(bytes: number, frames: number): number {
    const now = this.now()
    const seconds = (now - this.#last) / 1000
    this.#last = now
    this.#bytes = Math.min(this.rate.bytes, this.#bytes + seconds * this.rate.bytes) - bytes
    this.#frames = Math.min(this.rate.frames, this.#frames + seconds * this.rate.frames) - frames
    return Math.max(0, -this.#bytes / this.rate.bytes, -this.#frames / this.rate.frames) * 1000
  }
}
