/** The semaphore that programs see: a handle to the words of `weighted-semaphore.ts`. */
import { threadName } from '@flatshare/core/internal'
import { addressToAttach, letCross } from './crossing.js'
import { E_CANCELED } from './errors.js'
import type { SemaphoreInterface } from './interfaces.js'
import { SharedWords, weightedSemaphore } from './shared-words.js'

/** For `Mutex`, which is a semaphore inside. */
export let internalsOf: (semaphore: Semaphore) => {
  readonly words: SharedWords
  readonly cancelError: Error
  releaseIfLocked(): void
  /** Who holds some of it, for `console.log`; '' if nobody does. */
  holders(): string
}

/**
 * Counts permits; who acquires more than there are waits for others to release some. The semaphore of
 * `async-mutex`, for all threads that have it.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself,
 * the same object each time. All who wait, of all threads, form one queue, ordered by priority and then by
 * arrival; the first of them holds up the rest until there is enough for it. What a thread acquired and
 * nobody has released since comes back when that thread ends, however it ends.
 *
 * Nothing here blocks a thread. Once the semaphore has crossed to another thread, who waits for it keeps the
 * process alive.
 *
 * @example
 * const connections = new Semaphore(4)
 * worker.postMessage(...marshal(connections))
 * await connections.runExclusive(() => download(url))
 */
export class Semaphore implements SemaphoreInterface {
  readonly #words: SharedWords
  readonly #cancelError: Error

  /**
   * @param value how many permits there are at first; any number, negative ones have to be worked off.
   * @param cancelError what `cancel` rejects with. Other threads reject with a copy of it.
   */
  constructor(value: number, cancelError: Error = E_CANCELED) {
    const known = addressToAttach()
    this.#words = known === 0 ? SharedWords.make(value, this) : SharedWords.at(known)
    this.#cancelError = cancelError
  }

  /**
   * Resolves to the value that there was before, and the function that gives the weight back.
   *
   * @param weight how many permits to take, together; more than 0, 1 unless given.
   * @param priority who has a higher one goes first; 0 unless given.
   * @throws Error at once, when the weight is not positive.
   * @example
   * const [value, release] = await semaphore.acquire(2)
   */
  acquire(weight = 1, priority = 0): Promise<[number, SemaphoreInterface.Releaser]> {
    checkWeight(weight)
    const words = this.#words
    const before = weightedSemaphore.tryAcquire(words.address, weight, priority)
    if (before !== undefined) return Promise.resolve([before, this.#releaser(weight)])
    return new Promise((resolve, reject) => {
      words.wait()
      weightedSemaphore.acquire(words.address, weight, priority, {
        served: (before) => {
          words.waited()
          resolve([before, this.#releaser(weight)])
        },
        canceled: () => {
          words.waited()
          reject(this.#cancelError)
        },
      })
    })
  }

  /**
   * Acquires the weight, calls `callback` with the value that there was before, awaits what it gives, and
   * releases, also when it throws. Rejects as `acquire` does, and with what `callback` throws.
   */
  async runExclusive<T>(callback: SemaphoreInterface.Worker<T>, weight = 1, priority = 0): Promise<T> {
    const [value, release] = await this.acquire(weight, priority)
    try {
      return await callback(value)
    } finally {
      release()
    }
  }

  /**
   * Resolves when an acquire of this weight and priority would be served at once, and takes nothing:
   * somebody else may be faster.
   *
   * @throws Error at once, when the weight is not positive.
   */
  waitForUnlock(weight = 1, priority = 0): Promise<void> {
    checkWeight(weight)
    const words = this.#words
    return new Promise((resolve) => {
      // There is never as much as that.
      if (Number.isNaN(weight)) return
      words.wait()
      weightedSemaphore.observe(words.address, weight, priority, () => {
        words.waited()
        resolve()
      })
    })
  }

  /** Whether no permit is left. On another thread it may be otherwise by the time that you look at the answer. */
  isLocked(): boolean {
    return this.getValue() <= 0
  }

  /** How many permits there are now. */
  getValue(): number {
    return weightedSemaphore.currentValue(this.#words.address)
  }

  /** Says how many permits there are now, whatever is held, and serves whom it is enough for. */
  setValue(value: number): void {
    weightedSemaphore.setValue(this.#words.address, value)
  }

  /**
   * Gives permits back, and serves whom it is enough for; those of this thread before it returns. They
   * count as this thread's, or else as any other's: nobody's, if none are held, and so they are new ones.
   *
   * @throws Error when the weight is not positive.
   */
  release(weight = 1): void {
    checkWeight(weight)
    weightedSemaphore.release(this.#words.address, weight)
  }

  /** Rejects all who wait in `acquire` and `runExclusive`, on all threads. Who has acquired keeps that. */
  cancel(): void {
    weightedSemaphore.cancel(this.#words.address)
  }

  #releaser(weight: number): SemaphoreInterface.Releaser {
    let called = false
    return () => {
      if (called) return
      called = true
      this.release(weight)
    }
  }

  /** What `console.log` shows, where the runtime asks: the value, and who holds some. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { holders } = internalsOf(this)
    return `Semaphore (${this.getValue()}${holders() && `, ${holders()}`})`
  }

  static {
    internalsOf = (semaphore) => {
      const words = semaphore.#words
      return {
        words,
        cancelError: semaphore.#cancelError,
        releaseIfLocked: () => weightedSemaphore.releaseIfLocked(words.address, 1),
        holders() {
          const names = weightedSemaphore.holdersOf(words.address).map((id) => `"${threadName(id)}"`)
          return names.length === 0 ? '' : `held by ${names.join(', ')}`
        },
      }
    }
  }
}

function checkWeight(weight: number): void {
  if (weight <= 0) throw new Error(`invalid weight ${weight}: must be positive`)
}

letCross(Semaphore, 'async-mutex semaphore', {
  internalsOf: (semaphore) => internalsOf(semaphore),
  make: (cancelError) => new Semaphore(0, cancelError),
})
