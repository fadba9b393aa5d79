/**
 * Cancelling, as one thread sees it: its signal, and the reason.
 *
 * Shared memory knows that a progress was cancelled, and what can be told of the reason. The event comes to a thread
 * when it is back in its event loop, or at once where a report of its own meets with the cancel.
 */
import { i32, waitAsync } from '@flatshare/core/internal'
import { freeText, loadText, readLabel, storeText } from './block.js'
import { At } from './layout.js'
import { isCancelled, markCancelled, readMark } from './node.js'
import { defaultReason, packReason, unpackReason } from './reason.js'

export class Cancellation {
  readonly #at: number
  readonly #above: Cancellation | undefined
  /** Its handle: what waits for the end holds the block. */
  readonly #progress: object
  #controller: AbortController | undefined
  #signal: AbortSignal | undefined
  #reason: unknown

  constructor(progress: object, at: number, above: Cancellation | undefined) {
    this.#progress = progress
    this.#at = at
    this.#above = above
  }

  get signal(): AbortSignal {
    if (!this.#signal) {
      this.#controller = new AbortController()
      const above = this.#above?.signal
      this.#signal = above ? AbortSignal.any([above, this.#controller.signal]) : this.#controller.signal
      void this.#listen(this.#progress)
    }
    if (isCancelled(this.#at)) this.#heed()
    return this.#signal
  }

  /** Cancels this one and all below it. After its end, it does nothing. */
  cancel(reason: unknown): void {
    const at = this.#at
    if (isCancelled(at)) return
    const text = reason === undefined ? undefined : packReason(reason)
    if (text !== undefined) {
      const stored = storeText(text)
      if (Atomics.compareExchange(i32, (at + At.reason) >> 2, 0, stored) !== 0) freeText(stored)
    }
    if (!markCancelled(at)) return
    this.#reason = reason
    this.#heed()
  }

  /** Cancels the whole that this is a part of. */
  cancelWhole(reason: unknown): void {
    if (this.#above) this.#above.cancelWhole(reason)
    else this.cancel(reason)
  }

  /** Aborts this thread's signals, now that they are known to be due. Gives false: it doesn't go on. */
  stops(): false {
    this.#heed()
    return false
  }

  /** Aborts this thread's signal, if it has one, now that it is known to be due. */
  #heed(): void {
    if (this.#above) this.#above.#heed()
    if (this.#controller && readMark(this.#at) < 0) this.#controller.abort(this.why())
  }

  /** The reason of the nearest progress, this one or above, that was cancelled. */
  why(): unknown {
    if (readMark(this.#at) >= 0 && this.#above) return this.#above.why()
    if (this.#reason === undefined) {
      const told = Atomics.load(i32, (this.#at + At.reason) >> 2)
      this.#reason = told === 0 ? defaultReason(readLabel(this.#at)) : unpackReason(loadText(told))
    }
    return this.#reason
  }

  /** Waits for the end, for the signal's sake; what is waited for doesn't keep the thread alive. */
  async #listen(_held: object): Promise<void> {
    const ended = this.#at + At.ended
    while (Atomics.load(i32, ended >> 2) === 0) await waitAsync(ended, 0, Infinity, { hold: false })
    this.#heed()
  }
}
