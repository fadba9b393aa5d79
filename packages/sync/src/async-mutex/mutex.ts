/** The mutex that programs see: a semaphore of one. */
import { letCross } from './crossing.js'
import type { MutexInterface } from './interfaces.js'
import { internalsOf, Semaphore } from './semaphore.js'

let semaphoreOf: (mutex: Mutex) => Semaphore

/**
 * One holder at a time. The mutex of `async-mutex`, for all threads that have it.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself,
 * the same object each time. All who wait, of all threads, form one queue, ordered by priority and then by
 * arrival. When a thread ends, however it ends, the mutex that it held goes to the next one; what it
 * guards may then be half-changed: the `Mutex` of `@flatshare/sync` says so, and can block, too.
 *
 * It belongs to nobody: any thread may `release` it, and who holds it waits for himself if he asks for it again.
 *
 * @example
 * const mutex = new Mutex()
 * worker.postMessage(...marshal(mutex))
 * await mutex.runExclusive(() => ledger.append(entry))
 */
export class Mutex implements MutexInterface {
  readonly #semaphore: Semaphore

  /** @param cancelError what `cancel` rejects with. Other threads reject with a copy of it. */
  constructor(cancelError?: Error) {
    this.#semaphore = new Semaphore(1, cancelError)
  }

  /**
   * Resolves to the function that unlocks it.
   *
   * @param priority who has a higher one goes first; 0 unless given.
   * @example
   * const release = await mutex.acquire()
   */
  async acquire(priority = 0): Promise<MutexInterface.Releaser> {
    const [, release] = await this.#semaphore.acquire(1, priority)
    return release
  }

  /**
   * Acquires the mutex, calls `callback`, awaits what it gives, and unlocks, also when it throws. Rejects
   * as `acquire` does, and with what `callback` throws.
   */
  runExclusive<T>(callback: MutexInterface.Worker<T>, priority = 0): Promise<T> {
    return this.#semaphore.runExclusive(() => callback(), 1, priority)
  }

  /** Whether somebody holds it. On another thread it may be otherwise by the time that you look at the answer. */
  isLocked(): boolean {
    return this.#semaphore.isLocked()
  }

  /** Resolves when an acquire of this priority would be served at once, and takes nothing: somebody else may be faster. */
  waitForUnlock(priority = 0): Promise<void> {
    return this.#semaphore.waitForUnlock(1, priority)
  }

  /** Unlocks it, whoever holds it; the next one of this thread has it before this returns. A free one stays free. */
  release(): void {
    internalsOf(this.#semaphore).releaseIfLocked()
  }

  /** Rejects all who wait in `acquire` and `runExclusive`, on all threads. The holder keeps it. */
  cancel(): void {
    this.#semaphore.cancel()
  }

  /** What `console.log` shows, where the runtime asks: who holds it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Mutex (${this.isLocked() ? internalsOf(this.#semaphore).holders() || 'locked' : 'free'})`
  }

  static {
    semaphoreOf = (mutex) => mutex.#semaphore
  }
}

letCross(Mutex, 'async-mutex mutex', {
  internalsOf: (mutex) => internalsOf(semaphoreOf(mutex)),
  make: (cancelError) => new Mutex(cancelError),
})
