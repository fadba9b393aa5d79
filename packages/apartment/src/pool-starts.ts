/**
 * How a pool starts its threads.
 *
 * Invariants: a thread is started for a call that waits or to keep `min`, nothing else; the latter stops after threads
 * in a row that failed, or ended before they were given a call, so a module that always fails starts no storm; while
 * other threads work, a failed start is tried again only after a pause, which grows.
 */
import { FlatshareError } from '@flatshare/core'
import { apartmentOf, openThread } from './apartment.js'
import type { WorkerSource } from './apartment-options.js'
import type { WorkerThread } from './apartment-thread.js'
import { PoolMember, type Replicated } from './pool-member.js'
import type { PoolLimits, PoolOptions } from './pool-options.js'

/** After so many threads in a row that came to nothing, none is started but for a call. */
const BARREN = 3
const LONGEST_PAUSE = 10_000

export class PoolStarts {
  /** What each thread has an object of. */
  readonly replicated = new Set<Replicated>()
  readonly #running = new Set<Promise<void>>()
  readonly #giveUp = new AbortController()
  #named = 0
  #barren = 0
  #notBefore = 0
  #lastError: unknown

  /** `onReady` takes the thread in; `onSettled` hears that there is one more, or has failed. */
  constructor(
    readonly source: WorkerSource,
    readonly options: PoolOptions,
    readonly limits: PoolLimits,
    readonly onReady: (member: PoolMember) => void,
    readonly onSettled: () => void,
  ) {}

  get size(): number {
    return this.#running.size
  }

  /** Whether the last threads have all come to nothing. */
  get isBarren(): boolean {
    return this.#barren >= BARREN
  }

  /** Whether a start is worth trying beside so many threads. */
  mayStart(threads: number): boolean {
    return threads + this.size < this.limits.max && (threads === 0 || Date.now() >= this.#notBefore)
  }

  /** Resolves when all that are being started are there or have failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Threads are of use. */
  fruitful(): void {
    this.#barren = 0
  }

  /** A thread came to nothing. */
  fruitless(error: unknown): void {
    this.#barren++
    this.#lastError = error
  }

  start(): void {
    const start = this.#open().finally(() => {
      this.#running.delete(start)
      this.onSettled()
    })
    this.#running.add(start)
  }

  async #open(): Promise<void> {
    let thread: WorkerThread | undefined
    const { signal } = this.#giveUp
    const giveUp = () => void thread?.terminate()
    signal.addEventListener('abort', giveUp)
    try {
      const name = `${this.limits.name}-${++this.#named}`
      const { keepAlive = false } = this.options
      thread = await openThread(this.source, { ...this.options, name, keepAlive, signal })
      const member = new PoolMember(thread, apartmentOf(thread))
      // What is replicated meanwhile is seen by this loop.
      for (const replicated of this.replicated) await member.equip(replicated)
      member.keepOnly(this.replicated)
      signal.throwIfAborted()
      if (member.gone) throw new FlatshareError(`The thread "${name}" ended while it started.`)
      this.#notBefore = 0
      this.onReady(member)
    } catch (error) {
      await thread?.terminate()
      this.fruitless(error)
      this.#notBefore = Date.now() + Math.min(LONGEST_PAUSE, 100 * 2 ** this.#barren)
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** Ends those that are being started; none may be started any more. */
  stop(reason: Error): void {
    this.#giveUp.abort(reason)
  }

  /** Why there is no thread. */
  error(): FlatshareError {
    const cause = this.#lastError
    const why = cause instanceof Error ? cause.message : String(cause)
    return new FlatshareError(`The pool "${this.limits.name}" could not start a thread: ${why}`, { cause })
  }
}
