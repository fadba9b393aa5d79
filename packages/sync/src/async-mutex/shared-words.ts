/** The words of one semaphore, as this thread's handle has them. */
import { allocate, holdOpen } from '@flatshare/core/internal'
import { sharedMemory } from '../sync-memory.js'
import { makeWaitQueues } from '../wait-queue.js'
import { makeWaiting } from '../waiting.js'
import { makeWeightedSemaphore, SEMAPHORE_BYTES } from './weighted-semaphore.js'

/**
 * The semaphore over the arena. It waits apart from the other primitives, whose waiters always keep the
 * event loop alive: a semaphore that never left its thread has nobody to wait for in an idle one.
 */
export const weightedSemaphore = makeWeightedSemaphore(
  makeWaiting(makeWaitQueues({ ...sharedMemory, ownBlock: allocate, holdOpen: () => () => {} })),
)

const collected = new FinalizationRegistry<SharedWords>((words) => words.giveBack())

export class SharedWords {
  readonly address: number
  /** Other threads may know of them. */
  #crossed: boolean
  #waiters = 0
  #letGo: (() => void) | undefined

  private constructor(address: number, crossed: boolean) {
    this.address = address
    this.#crossed = crossed
  }

  /** Words of its own for a handle; they are given back after it, if no other thread has learned of them. */
  static make(value: number, handle: object): SharedWords {
    const words = new SharedWords(allocate(SEMAPHORE_BYTES), false)
    weightedSemaphore.make(words.address, value)
    collected.register(handle, words)
    return words
  }

  /** The words that another thread has told of. */
  static at(address: number): SharedWords {
    return new SharedWords(address, true)
  }

  /** From now on another thread may release. */
  cross(): void {
    this.#crossed = true
    if (this.#waiters > 0) this.#letGo ??= holdOpen()
  }

  /** A waiter of this thread begins to wait. */
  wait(): void {
    this.#waiters++
    if (this.#crossed) this.#letGo ??= holdOpen()
  }

  /** A waiter of this thread waits no longer. */
  waited(): void {
    if (--this.#waiters > 0) return
    this.#letGo?.()
    this.#letGo = undefined
  }

  /** Who still waits is in lists that lie here; nobody will ever serve him. */
  giveBack(): void {
    if (!this.#crossed && this.#waiters === 0) weightedSemaphore.unmake(this.address)
  }
}
