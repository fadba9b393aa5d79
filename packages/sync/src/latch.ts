/** The latch that programs see: a count down (`latch-core.ts`), with a name. */
import { checkedTimeout, synchronousOnly, timeoutError } from '@flatshare/core/internal'
import { type AwaitOptions, awaitGrant, checkAwaitOptions } from './await-grant.js'
import { waiting } from './engine.js'
import { LATCH_BYTES, makeLatch } from './latch-core.js'
import type { BlockingOptions } from './mutex.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'
import { sharedMemory } from './sync-memory.js'

const core = makeLatch(waiting)

const MOST = 0x7fffffff

/**
 * A door that opens once: it counts down from n, and lets everybody go when it comes to 0. It never closes
 * again.
 *
 * Any thread may count, as often as it likes; nobody knows who was meant to. So a thread that dies before
 * it has counted leaves the others waiting: give them a `timeout`, or count for it when it ends.
 *
 * @example
 * const loaded = new Latch(files.length)
 * for (const file of files) void load(file).finally(() => loaded.countDown())
 * await loaded.wait()
 */
export class Latch extends Primitive {
  protected readonly word = 'latch'

  /**
   * `n` is what is to be counted down: an integer of 0 (then it is open at once) to 2³¹ − 1.
   *
   * @throws TypeError for options that are none.
   * @throws RangeError for another `n`.
   */
  constructor(n: number, options: PrimitiveOptions = {}) {
    if (!isCount(n))
      throw new RangeError(`A latch counts down from an integer of 0 to ${MOST}; this one is ${String(n)}.`)
    super(LATCH_BYTES, options, "A latch is made with a count, and options: new Latch(3, { name: 'loaded' }).")
    if (this.isNew) sharedMemory.store(this.address, n)
  }

  /**
   * Counts down by `by`. Whoever counts to 0 lets all that wait go.
   *
   * @throws RangeError when fewer than `by` are left, and counts nothing: somebody has counted too often.
   */
  countDown(by = 1): void {
    if (!isCount(by)) throw new RangeError(`A latch is counted down by an integer of 0 or more, not ${String(by)}.`)
    if (core.countDown(this.address, by)) return
    throw new RangeError(
      `${this.describe()} can't be counted down by ${by}: ${this.isOpen ? 'it is open already' : `${this.count} are left`}. ` +
        'Make it with the number of all that count, or have each count once.',
    )
  }

  /** How many are to be counted down yet. It may be fewer by the time that you look at the answer. */
  get count(): number {
    return core.countOf(this.address)
  }

  /** Whether it has come to 0. Once true, it is true for ever. */
  get isOpen(): boolean {
    return core.isOpen(this.address)
  }

  /** The same, for code that treats all primitives alike. */
  tryWait(): boolean {
    return this.isOpen
  }

  /**
   * Blocks the thread until the latch is open; without a `timeout`, for ever.
   *
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds.
   * @throws CannotBlockError where the thread may not block and the latch doesn't open within a millisecond.
   * @throws RangeError for a timeout that is none.
   * @example
   * loaded.waitSync({ timeout: 1000 })
   */
  waitSync(options: BlockingOptions = {}): void {
    this.#waitSync(checkedBlocking(options))
  }

  #waitSync(timeout: number | undefined): void {
    core.waitSync(this.address, { timeout, what: () => this.#left(), instead: 'await the latch, by wait()' })
  }

  /**
   * Resolves when the latch is open. While it waits, it keeps the process alive. Giving up by `signal` or
   * `timeout` leaves no trace.
   *
   * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, and with the signal's reason when
   * that aborts.
   */
  wait(options: AwaitOptions = {}): Promise<void> {
    const { timeout, signal } = options
    if (timeout === undefined && signal === undefined && this.isOpen) return Promise.resolve()
    return awaitGrant<void>({
      ...options,
      enqueue: (waiter) => core.enqueue(this.address, { granted: () => waiter.granted() }),
      timedOut: (timeout) => timeoutError(`Waited ${timeout} ms for ${this.#left()}.`),
    })
  }

  /**
   * Counts down by 1, then blocks until the latch is open. Who gives up waiting has counted all the same.
   *
   * @throws what `countDown` and `waitSync` throw.
   */
  arriveAndWaitSync(options: BlockingOptions = {}): void {
    const timeout = checkedBlocking(options)
    this.countDown()
    this.#waitSync(timeout)
  }

  /**
   * Counts down by 1, then waits as `wait` does. Who gives up waiting has counted all the same; whose signal
   * is aborted before has not.
   *
   * It rejects with what `countDown` throws, and as `wait` does.
   */
  async arriveAndWait(options: AwaitOptions = {}): Promise<void> {
    checkAwaitOptions(options)
    this.countDown()
    await this.wait(options)
  }

  #left(): string {
    return `${this.describe()}, with ${this.count} left to count down`
  }

  protected madeWith(): [number, PrimitiveOptions] {
    return [0, { name: this.name }]
  }

  protected state(): string {
    return this.isOpen ? 'open' : `${this.count} left`
  }
}

letCross(Latch, 'latch', LATCH_BYTES)
synchronousOnly(Latch, [
  ['tryWait', 'isOpen'],
  ['waitSync', 'wait()'],
  ['arriveAndWaitSync', 'arriveAndWait()'],
])

function isCount(n: unknown): boolean {
  return Number.isInteger(n) && (n as number) >= 0 && (n as number) <= MOST
}

function checkedBlocking({ timeout }: BlockingOptions): number | undefined {
  return timeout === undefined ? undefined : checkedTimeout(timeout, 'A timeout')
}
