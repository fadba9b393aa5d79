/** The signal that programs see: an event that threads wait for (`signal-core.ts`), with a name. */
import { checkedTimeout, synchronousOnly, timeoutError } from '@flatshare/core/internal'
import { type AwaitOptions, awaitGrant } from './await-grant.js'
import { waiting } from './engine.js'
import type { BlockingOptions } from './mutex.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'
import { AUTOMATIC, makeSignal, SET, SIGNAL_BYTES } from './signal-core.js'
import { sharedMemory } from './sync-memory.js'

const core = makeSignal(waiting)

/** How to make a signal. */
export interface SignalOptions extends PrimitiveOptions {
  /**
   * Who resets it: the program, and until then it lets everybody go (`'manual'`), or the one whom it lets
   * go (`'automatic'`).
   */
  reset?: 'manual' | 'automatic'
  /** Whether it is set from the start. */
  set?: boolean
}

/**
 * An event: threads wait until another one says that it has come.
 *
 * - A manual signal is a gate: `set` opens it for all that wait and all that come, until `reset`. Who was
 *   waiting when it was set goes, also if `reset` follows at once.
 * - An automatic signal is a turnstile: each `set` lets one go, the one that has waited longest, or else the
 *   next to come. Set several times while nobody waits, it lets one go.
 *
 * A set is never lost with a thread: what was given to a waiter whose thread died before it saw it goes
 * to the next. There is no owner; any thread may set and reset.
 *
 * An asynchronous waiter of a thread that is blocked is passed over by an automatic signal while somebody
 * else waits who can go at once.
 *
 * @example
 * const ready = new Signal({ name: 'ready' })
 * worker.postMessage(...marshal(ready))
 * await ready.wait()                     // here
 * unmarshal<Signal>(packet).set()        // there
 */
export class Signal extends Primitive {
  protected readonly word = 'signal'
  readonly #reset: 'manual' | 'automatic'

  /** @throws TypeError for options that are none of these. */
  constructor(options: SignalOptions = {}) {
    super(SIGNAL_BYTES, options, "A signal is made with nothing, or with options: new Signal({ name: 'ready' }).")
    const { reset = 'manual', set = false } = options
    if (reset !== 'manual' && reset !== 'automatic') throw new TypeError("reset is 'manual' or 'automatic'.")
    if (typeof set !== 'boolean') throw new TypeError('set is true or false.')
    this.#reset = reset
    if (this.isNew) sharedMemory.store(this.address, (reset === 'automatic' ? AUTOMATIC : 0) | (set ? SET : 0))
  }

  /** Sets the signal: a manual one lets everybody go until it is reset, an automatic one lets one go. */
  set(): void {
    core.set(this.address)
  }

  /** Resets the signal: who comes from now on waits. Does nothing where it isn't set. */
  reset(): void {
    core.reset(this.address)
  }

  /** Whether it is set. It may be otherwise by the time that you look at the answer. */
  get isSet(): boolean {
    return core.isSet(this.address)
  }

  /** Whether the signal lets this thread go at once; an automatic one that does is reset. */
  tryWait(): boolean {
    return core.tryWait(this.address)
  }

  /**
   * Blocks the thread until the signal lets it go; without a `timeout`, for ever.
   *
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds.
   * @throws CannotBlockError where the thread may not block and isn't let go within a millisecond.
   * @throws RangeError for a timeout that is none.
   * @example
   * ready.waitSync({ timeout: 1000 })
   */
  waitSync(options: BlockingOptions = {}): void {
    const { timeout } = options
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    core.waitSync(this.address, { timeout, what: () => this.describe(), instead: 'await the signal, by wait()' })
  }

  /**
   * Resolves when the signal lets this waiter go. While it waits, it keeps the process alive. Giving up by
   * `signal` or `timeout` leaves no trace; who was let go in the same moment goes.
   *
   * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, and with the reason of the AbortSignal
   * when that aborts.
   *
   * @example
   * await ready.wait({ signal: AbortSignal.timeout(1000) })
   */
  wait(options: AwaitOptions = {}): Promise<void> {
    const { timeout, signal } = options
    if (timeout === undefined && signal === undefined && this.tryWait()) return Promise.resolve()
    return awaitGrant<void>({
      ...options,
      enqueue: (waiter) => core.enqueue(this.address, { granted: () => waiter.granted() }),
      timedOut: (timeout) => timeoutError(`Waited ${timeout} ms for ${this.describe()}.`),
    })
  }

  protected madeWith(): [SignalOptions] {
    return [{ name: this.name, reset: this.#reset }]
  }

  protected state(): string {
    return `${this.#reset}, ${this.isSet ? 'set' : 'not set'}`
  }
}

letCross(Signal, 'signal', SIGNAL_BYTES)
synchronousOnly(Signal, [
  ['tryWait', 'wait({ timeout: 0 })'],
  ['waitSync', 'wait()'],
])
