/**
 * The queue before an object: it serves one call at a time, an async method from its start until it has
 * settled.
 *
 *   free     nothing runs                a call starts at once
 *   serving  one or more calls run       a call whose path names one of them starts at once (re-entry);
 *                                        any other waits its turn
 *
 * Invariants: of the running calls, each but the first was re-entered from one that ran; waiting calls
 * start in the order in which they came; two siblings of one `Promise.all` have no call of this object on
 * their paths but the one that made them, so they queue.
 */
import type { CallId } from '@flatshare/core/internal'

interface Waiting {
  readonly path: readonly CallId[]
  readonly start: () => Promise<void> | undefined
}

export class Gate {
  readonly #running = new Set<CallId>()
  readonly #waiting: Waiting[] = []
  #first = 0

  /** Starts the call now or in its turn. What `start` gives back, it never rejects, tells when it has ended. */
  pass(path: readonly CallId[], start: () => Promise<void> | undefined): void {
    if (this.#running.size === 0 || path.some((id) => this.#running.has(id))) this.#start(path, start)
    else this.#waiting.push({ path, start })
  }

  #start(path: readonly CallId[], start: () => Promise<void> | undefined): void {
    const id = path[path.length - 1]!
    this.#running.add(id)
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
      const { path, start } = this.#waiting[this.#first++]!
      if (this.#first > 1024 || this.#first === this.#waiting.length) {
        this.#waiting.splice(0, this.#first)
        this.#first = 0
      }
      this.#start(path, start)
    }
  }
}
