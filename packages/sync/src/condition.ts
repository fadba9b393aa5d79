/** The condition that programs see: waits for a notification with a mutex given up (`condition-core.ts`), and a name. */
import { checkedTimeout, synchronousOnly } from '@flatshare/core/internal'
import { acquire } from './arena-lock.js'
import { type AwaitOptions, awaitGrant, checkAwaitOptions } from './await-grant.js'
import { CONDITION_BYTES, makeCondition, type Token } from './condition-core.js'
import { lock, waiting } from './engine.js'
import { type BlockingOptions, MutexGuard, suspend } from './mutex.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'

const core = makeCondition(waiting, lock)

/**
 * Where threads wait for something to become true that a mutex guards: with the mutex held they look, and
 * if it isn't so, `wait` gives the mutex up, waits until another thread has changed something and
 * notifies, and takes the mutex again.
 *
 * - A notification that comes after the mutex was given up isn't lost, and nobody is woken without one.
 *   Still, look again: another thread may have been quicker. The forms with a function do.
 * - Waiters are notified in the order of their coming, blocking and awaiting ones alike.
 * - When a wait ends, however it ends, the mutex is held again, and the guard is good as before; except
 *   for a DeadlockError, when it could never be. The guard's `abandoned` says whether a thread died
 *   with the mutex meanwhile.
 * - A notification isn't lost with its thread: if that ends before it has the mutex again, another waiter is
 *   notified. One that comes in the moment of a timeout or an abort counts: the wait ends well.
 * - `notifyAll` makes no stampede: of the notified that block, each is woken when the one before has the mutex.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself. All
 * that wait for it at one time hold the same mutex. Who notifies needn't hold it.
 *
 * @example
 * // One thread:
 * using guard = mutex.lockSync()
 * notEmpty.waitSync(guard, () => queue.length > 0)
 * const item = queue.shift()
 * // Another one:
 * mutex.runExclusiveSync(() => void queue.push(item))
 * notEmpty.notify()
 */
export class Condition extends Primitive {
  protected readonly word = 'condition'

  /** @throws TypeError for a name that is no string. */
  constructor(options: PrimitiveOptions = {}) {
    super(
      CONDITION_BYTES,
      options,
      "A condition is made with nothing, or with options: new Condition({ name: 'not empty' }).",
    )
  }

  /**
   * Gives the guard's mutex up, blocks the thread until it is notified, or until `predicate` holds, and takes the
   * mutex again. `predicate` is called with the mutex held: first at once, then whenever it is notified.
   *
   * Without a `timeout` it waits for ever. After a timeout `predicate` is asked a last time. Taking the mutex
   * again takes what it takes, and doesn't count.
   *
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds.
   * @throws FlatshareError when the guard was released, or others wait with another mutex.
   * @throws CannotBlockError at once, with the mutex held, where the thread may not block: use `wait`.
   * @throws DeadlockError when taking the mutex again would never end; the guard is then as released.
   * @throws what `predicate` throws.
   * @example
   * done.waitSync(guard, () => count === 0, { timeout: 1000 })
   */
  waitSync(guard: MutexGuard, options?: BlockingOptions): void
  waitSync(guard: MutexGuard, predicate: () => boolean, options?: BlockingOptions): void
  waitSync(guard: MutexGuard, predicateOrOptions?: (() => boolean) | BlockingOptions, more?: BlockingOptions): void {
    const [predicate, { timeout = Infinity } = {}] = toPredicateAndOptions(predicateOrOptions, more)
    checkedTimeout(timeout, 'A timeout')
    checkGuard(guard)
    core.checkMayBlock(() => this.#notification())
    if (!predicate) {
      this.#waitSync(guard, timeout)
      return
    }
    const end = performance.now() + timeout
    while (!predicate()) {
      try {
        this.#waitSync(guard, Math.max(0, end - performance.now()))
      } catch (error) {
        if (!isTimeout(error)) throw error
        if (predicate()) return
        throw this.#timedOut(timeout)
      }
    }
  }

  #waitSync(guard: MutexGuard, left: number): void {
    const held = suspend(guard)
    core.waitSync(this.address, {
      timeout: left,
      what: () => this.#notification(),
      mutex: held.address,
      mutexName: held.what,
      relocked: held.relocked,
    })
  }

  /**
   * As `waitSync`, without blocking the thread; `predicate` may give a promise. While it waits, it keeps
   * the process alive.
   *
   * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, and with the signal's reason when
   * that aborts: both after the mutex is held again. With a signal that is aborted already it
   * rejects without giving the mutex up. It rejects with a FlatshareError as `waitSync` throws it.
   *
   * @example
   * using guard = await mutex.lock()
   * await notEmpty.wait(guard, () => queue.length > 0, { signal })
   */
  wait(guard: MutexGuard, options?: AwaitOptions): Promise<void>
  wait(guard: MutexGuard, predicate: () => boolean | PromiseLike<boolean>, options?: AwaitOptions): Promise<void>
  async wait(
    guard: MutexGuard,
    predicateOrOptions?: (() => boolean | PromiseLike<boolean>) | AwaitOptions,
    more?: AwaitOptions,
  ): Promise<void> {
    const [predicate, options = {}] = toPredicateAndOptions(predicateOrOptions, more)
    checkAwaitOptions(options)
    checkGuard(guard)
    if (!predicate) return this.#wait(guard, options)
    const { timeout = Infinity } = options
    const end = performance.now() + timeout
    while (!(await predicate())) {
      try {
        await this.#wait(guard, { ...options, timeout: Math.max(0, end - performance.now()) })
      } catch (error) {
        if (!isTimeout(error) || error === options.signal?.reason) throw error
        if (await predicate()) return
        throw this.#timedOut(timeout)
      }
    }
  }

  async #wait(guard: MutexGuard, options: AwaitOptions): Promise<void> {
    checkAwaitOptions(options)
    const held = suspend(guard)
    let token: Token = 0
    let failure: unknown
    try {
      await awaitGrant<void>({
        ...options,
        enqueue: (waiter) => {
          const queued = core.enqueue(this.address, held.address, { granted: () => waiter.granted() })
          token = queued.token
          return queued.node
        },
        timedOut: (ms) => this.#timedOut(ms),
      })
    } catch (error) {
      failure = error
    }
    if (token === 0) {
      // It was refused a place, and the mutex is held.
      held.relocked('acquired')
      throw failure
    }
    const gaveUp = failure !== undefined && core.withdraw(this.address, token)
    const outcome = await acquire(held.address, { what: held.what })
    if (!gaveUp) core.retire(this.address, token)
    held.relocked(outcome)
    if (gaveUp) throw failure
  }

  /**
   * Notifies the `n` that have waited longest, or all if they are fewer; gives how many it notified. Nobody
   * who comes later has anything of it.
   *
   * Each goes on once it has its mutex: so change what they wait for before, with the mutex held.
   *
   * @throws RangeError when `n` isn't an integer of 1 or more.
   */
  notify(n = 1): number {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`notify takes an integer of 1 or more, not ${String(n)}; notifyAll notifies all.`)
    }
    return core.notify(this.address, n)
  }

  /** Notifies all that wait; gives how many it notified. They go on one after another, as they get the mutex. */
  notifyAll(): number {
    return core.notify(this.address, Infinity)
  }

  /** How many wait and aren't notified yet. It may be otherwise by the time that you look at the answer. */
  get waiters(): number {
    return core.waiters(this.address)
  }

  #timedOut(timeout: number): Error {
    return waiting.timedOut(this.#notification(), timeout, [])
  }

  #notification(): string {
    return `a notification of ${this.describe()}`
  }

  protected madeWith(): [PrimitiveOptions] {
    return [{ name: this.name }]
  }

  protected state(): string {
    return `${this.waiters} waiting`
  }
}

letCross(Condition, 'condition', CONDITION_BYTES)
synchronousOnly(Condition, [['waitSync', 'wait(guard)', true]])

function toPredicateAndOptions<P extends () => unknown, O extends object>(
  predicateOrOptions: P | O | undefined,
  more: O | undefined,
): [P | undefined, O | undefined] {
  return typeof predicateOrOptions === 'function' ? [predicateOrOptions, more] : [undefined, predicateOrOptions]
}

/** @throws TypeError for what is no guard, FlatshareError for one that was released. */
function checkGuard(guard: MutexGuard): void {
  if (!(guard instanceof MutexGuard)) {
    throw new TypeError(
      'A wait takes the guard of the mutex that is held: condition.waitSync(guard), with guard = mutex.lockSync().',
    )
  }
  suspend(guard).relocked('acquired')
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'TimeoutError'
}
