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

interface Waiting {
  readonly path: readonly CallId[]
  /** What errors call it. */
  readonly label: string
  readonly start: () => Promise<void> | undefined
}

export class Gate {
  /** The calls that it serves, with what errors call them. */
  readonly #running = new Map<CallId, string>()
  readonly #waiting: Waiting[] = []
  #first = 0

  /** Starts the call now or in its turn. What `start` gives back, it never rejects, tells when it has ended. */
  pass(path: readonly CallId[], start: () => Promise<void> | undefined, label: string): void {
    if (this.admits(path)) this.#start({ path, label, start })
    else this.#waiting.push({ path, label, start })
  }

  /** Whether everything that runs here is on the call's path. */
  admits(path: readonly CallId[]): boolean {
    for (const id of this.#running.keys()) if (!path.includes(id)) return false
    return true
  }

  /** Starts at once all that wait: their object refuses them from now on. */
  dismiss(): void {
    const waiting = this.#waiting.splice(0).slice(this.#first)
    this.#first = 0
    for (const { start } of waiting) void start()
  }

  /** What runs here. */
  get running(): readonly string[] {
    return [...this.#running.values()]
  }

  #start({ path, label, start }: Waiting): void {
    const id = path[path.length - 1]!
    this.#running.set(id, label)
    const ended = start()
    if (!ended) this.#running.delete(id)
    else {
      void ended.then(() => {
        this.#running.delete(id)
        this.#next()
      })
    }
  }

  #next(): void {
    while (this.#running.size === 0 && this.#first < this.#waiting.length) {
      const waiting = this.#waiting[this.#first++]!
      if (this.#first > 1024 || this.#first === this.#waiting.length) {
        this.#waiting.splice(0, this.#first)
        this.#first = 0
      }
      this.#start(waiting)
    }
    if (this.#running.size > 0) this.#reenter()
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
