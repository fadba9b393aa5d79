/**
 * The queue before an object: it serves one call at a time, an async method from its start until it has
 * settled.
 *
 *   free     nothing runs                 the first that waits starts
 *   serving  a chain of calls, each but   a call whose path names all of them starts at once (re-entry);
 *            the first re-entered from    any other waits its turn
 *            the one before
 *
 * Invariants: the running calls are always one chain, so at most one of them is not waiting for another;
 * waiting calls start in the order in which they came, but for those that re-enter; two siblings of one
 * `Promise.all` queue, also where the call that made them runs here itself: neither is on the other's path.
 */
import type { CallId } from '@flatshare/core/internal'

/** A call that queues. */
export interface Turn {
  readonly path: readonly CallId[]
  /** What errors call it. */
  readonly label: string
  /** Starts it. True where it goes on: when it has ended, it leaves the gate. */
  start(): boolean
}

export class Gate {
  readonly #running: Turn[] = []
  readonly #waiting: Turn[] = []
  #first = 0

  /** Starts the call now or in its turn. */
  pass(turn: Turn): void {
    if (this.admits(turn.path)) this.#start(turn)
    else this.#waiting.push(turn)
  }

  /** Whether everything that runs here is on the call's path. */
  admits(path: readonly CallId[]): boolean {
    for (const { path: running } of this.#running) if (!path.includes(running[running.length - 1]!)) return false
    return true
  }

  /** A call that went on has ended. */
  leave(turn: Turn): void {
    this.#remove(turn)
    this.#next()
  }

  /** Starts at once all that wait: their object refuses them from now on. */
  dismiss(): void {
    const waiting = this.#waiting.splice(0).slice(this.#first)
    this.#first = 0
    for (const turn of waiting) turn.start()
  }

  /** What runs here. */
  get running(): readonly string[] {
    return this.#running.map(({ label }) => label)
  }

  #start(turn: Turn): void {
    this.#running.push(turn)
    if (!turn.start()) this.#remove(turn)
  }

  #remove(turn: Turn): void {
    const running = this.#running
    // Most often it is the one that has started last; those that were dismissed are none.
    const at = running.lastIndexOf(turn)
    if (at >= 0) running.splice(at, 1)
  }

  #next(): void {
    while (this.#running.length === 0 && this.#first < this.#waiting.length) {
      const waiting = this.#waiting[this.#first++]!
      if (this.#first > 1024 || this.#first === this.#waiting.length) {
        this.#waiting.splice(0, this.#first)
        this.#first = 0
      }
      this.#start(waiting)
    }
    if (this.#running.length > 0) this.#reenter()
  }

  /** Starts the first waiting call that re-enters what still runs, a sibling of the one that has just ended. */
  #reenter(): void {
    for (let i = this.#first; i < this.#waiting.length; i++) {
      const waiting = this.#waiting[i]!
      if (!this.admits(waiting.path)) continue
      this.#waiting.splice(i, 1)
      this.#start(waiting)
      i-- // those that ended at once leave room for the next
    }
  }
}
