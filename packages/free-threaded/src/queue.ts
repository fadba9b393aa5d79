import { Mutex } from 'async-mutex'

/** First come, first served among async calls of one thread. It costs nothing while only one is there. */
export class Queue {
  #busy = false
  /** Made locked, on behalf of who is in, by the first who has to wait. */
  #waiting: Mutex | undefined

  /** Goes in if nobody is there. */
  tryEnter(): boolean {
    if (this.#busy) return false
    this.#busy = true
    return true
  }

  /** Resolves, later, when it is the caller's turn. */
  async enter(): Promise<void> {
    if (this.tryEnter()) return
    if (!this.#waiting) {
      this.#waiting = new Mutex()
      void this.#waiting.acquire()
    }
    await this.#waiting.acquire()
  }

  leave(): void {
    this.#waiting?.release()
    if (this.#waiting?.isLocked()) return
    this.#waiting = undefined
    this.#busy = false
  }
}
