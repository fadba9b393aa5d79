/** The semaphore that programs see: permits (`semaphore-core.ts`), a name, and guards. */
import { checkedTimeout, currentCall, isThenable, synchronousOnly } from '@flatshare/core/internal'
import { type AwaitOptions, awaitGrant, checkAwaitOptions } from './await-grant.js'
import { waiting } from './engine.js'
import { abandon, Guard, isCutOff } from './guard.js'
import type { Outcome } from './lock.js'
import type { BlockingOptions } from './mutex.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'
import { MAX_PERMITS, makeSemaphore, SEMAPHORE_BYTES, type Seat } from './semaphore-core.js'

const core = makeSemaphore(waiting)

/** How to run something with permits, blocking. */
export interface BlockingRunOptions extends BlockingOptions {
  /** How many permits; 1 if left out. */
  weight?: number
}

/** How to run something with permits. */
export interface RunOptions extends AwaitOptions {
  /** How many permits; 1 if left out. */
  weight?: number
}

let describe: (semaphore: Semaphore) => string
let giveBack: (semaphore: Semaphore, weight: number, unmended: boolean) => void

/**
 * Stands for permits that are held: release it, once, on the thread that acquired them. Or let it be, and
 * give them back by the semaphore's own `release`; not both.
 *
 * @example
 * using permit = pool.acquireSync()
 */
export class Permit extends Guard {
  readonly #semaphore: Semaphore
  readonly #weight: number
  readonly #abandoned: boolean

  /** @internal */
  constructor(semaphore: Semaphore, weight: number, outcome: Outcome) {
    super()
    this.#semaphore = semaphore
    this.#weight = weight
    this.#abandoned = outcome === 'abandoned'
  }

  /** How many permits it stands for. */
  get weight(): number {
    return this.#weight
  }

  /**
   * True when a thread died since the last permit was given, and held permits: what it used them for may
   * be half-done. It is said to one that acquires; to a second one only if a thread dies just then.
   */
  get abandoned(): boolean {
    return this.#abandoned
  }

  protected describe(): string {
    return describe(this.#semaphore)
  }

  protected letGo(unmended = false): void {
    giveBack(this.#semaphore, this.weight, unmended)
  }
}

/**
 * A number of permits between threads: each is held by one taker at a time. Use it to bound how many do
 * something at once, all threads together; or, made with 0 permits, to count signals: `release` gives one,
 * on any thread, and each `acquire` uses one up.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself,
 * the same object each time. Acquire blocking (`acquireSync`), awaiting (`acquire`), or only if nobody has
 * to wait for it (`tryAcquire`); one permit, or `weight` of them at once.
 *
 * Waiters are served in the order of their coming, blocking and awaiting ones alike, and nobody gets ahead
 * of them: one who asks for many permits isn't starved by those who ask for few, and they wait behind
 * him. Who awaits on a thread that is blocked meanwhile is passed over until it isn't.
 *
 * When a thread ends, however it ends, the permits that it held come back at once, up to the number that the
 * semaphore was made with: signals that it used up don't. The next permit says `abandoned`. Permits belong
 * to the thread that acquired them; others may `release` them for it, and should then do so before it ends.
 *
 * Nobody can know who will release a semaphore. So blocking for it finds no deadlocks, and waits for ever
 * unless it has a `timeout`.
 *
 * @example
 * const pool = new Semaphore(4, { name: 'connections' })
 * worker.postMessage(...marshal(pool))
 * await pool.run(() => query(sql))
 */
export class Semaphore extends Primitive {
  protected readonly word = 'semaphore'
  /** How many permits it was made with. */
  readonly permits: number
  readonly #seat: Seat

  /**
   * @throws RangeError when `permits` isn't an integer of 0 to 2²⁷.
   * @throws TypeError for a name that is no string.
   */
  constructor(permits: number, options: PrimitiveOptions = {}) {
    super(
      SEMAPHORE_BYTES,
      checkedPermits(permits, options),
      "A semaphore is made with a number of permits, and options: new Semaphore(4, { name: 'connections' }).",
    )
    this.permits = permits
    this.#seat = core.attach(this.address, permits)
  }

  /**
   * Acquires `weight` permits; blocks the thread until they are free, and all who came before are served.
   * More than the semaphore was made with are waited for like any number: `release` may give them.
   *
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds; without one, it waits for ever.
   * @throws CannotBlockError where the thread may not block and the permits don't come within a millisecond.
   * @throws RangeError for a weight that is no integer of 1 to 2²⁷, or a timeout that is none.
   * @example
   * using permit = pool.acquireSync(2, { timeout: 1000 })
   */
  acquireSync(options?: BlockingOptions): Permit
  acquireSync(weight?: number, options?: BlockingOptions): Permit
  acquireSync(weightOrOptions: number | BlockingOptions = 1, more?: BlockingOptions): Permit {
    const [weight, options] = toWeightAndOptions(weightOrOptions, more)
    return this.#acquireSync(checkedWeight(weight), options?.timeout)
  }

  #acquireSync(weight: number, timeout: number | undefined): Permit {
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    const outcome =
      core.tryAcquire(this.#seat, weight) ??
      core.acquireSync(this.#seat, weight, {
        timeout,
        what: () => this.#wanted(weight),
        instead: 'await the permits, by acquire() or run()',
      })
    return new Permit(this, weight, outcome)
  }

  /**
   * Acquires `weight` permits without blocking the thread. While it waits, it keeps the process alive. Giving
   * up by `signal` or `timeout` leaves no trace, and those behind move up.
   *
   * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, with the signal's reason
   * when that aborts, and with a RangeError as `acquireSync` throws it.
   *
   * @example
   * using permit = await pool.acquire({ signal })
   */
  acquire(options?: AwaitOptions): Promise<Permit>
  acquire(weight?: number, options?: AwaitOptions): Promise<Permit>
  async acquire(weightOrOptions: number | AwaitOptions = 1, more?: AwaitOptions): Promise<Permit> {
    const [weight, options] = toWeightAndOptions(weightOrOptions, more)
    return this.#acquire(checkedWeight(weight), options)
  }

  async #acquire(weight: number, options: AwaitOptions = {}): Promise<Permit> {
    checkAwaitOptions(options)
    const { timeout, signal } = options
    const outcome =
      core.tryAcquire(this.#seat, weight) ??
      (await awaitGrant<Outcome>({
        ...(timeout === undefined ? {} : { timeout }),
        ...(signal === undefined ? {} : { signal }),
        enqueue: (waiter) => core.enqueue(this.#seat, weight, waiter),
        timedOut: (ms) => waiting.timedOut(this.#wanted(weight), ms, []),
      }))
    return new Permit(this, weight, outcome)
  }

  /**
   * Acquires `weight` permits if they are free and nobody waits who could go on sooner; else gives
   * undefined, at once.
   *
   * @throws RangeError for a weight that is no integer of 1 to 2²⁷.
   */
  tryAcquire(weight = 1): Permit | undefined {
    const outcome = core.tryAcquire(this.#seat, checkedWeight(weight))
    return outcome && new Permit(this, weight, outcome)
  }

  /**
   * Gives `weight` permits: back, or as signals. Any thread may. They count as those that this thread holds;
   * if it holds fewer, as those of the threads that hold most; and what nobody holds is added.
   *
   * All waiters that can go on now do.
   *
   * @throws RangeError for a weight that is no integer of 1 to 2²⁷, or when more than 2²⁷ would be free.
   */
  release(weight = 1): void {
    this.#release(checkedWeight(weight), false)
  }

  #release(weight: number, unmended: boolean): void {
    if (core.release(this.#seat, weight, unmended)) return
    throw new RangeError(
      `${this.describe()} has ${this.available} free permits: with ${weight} more there would be more than ${MAX_PERMITS}. ` +
        'Nobody acquires them, or somebody releases too often.',
    )
  }

  /**
   * Awaits permits, runs `fn`, awaits what that gives, and releases them, also when it throws. It rejects as
   * `acquire` does, and as `fn`.
   *
   * Nobody is refused inside: `fn` that acquires again waits, and for ever if it waits for its own permits.
   */
  async run<R>(fn: (permit: Permit) => R | PromiseLike<R>, options: RunOptions = {}): Promise<R> {
    const call = currentCall()
    using permit = await this.#acquire(checkedWeight(options.weight ?? 1), options)
    try {
      return await fn(permit)
    } catch (error) {
      if (isCutOff(error, call)) abandon(permit)
      throw error
    }
  }

  /**
   * Acquires permits, blocking, runs `fn`, and releases them, also when it throws.
   *
   * @throws what `acquireSync` throws.
   * @throws TypeError when `fn` gives a promise: the permits would be gone before its work is done.
   */
  runSync<R>(fn: (permit: Permit) => R, options: BlockingRunOptions = {}): R {
    using permit = this.#acquireSync(checkedWeight(options.weight ?? 1), options.timeout)
    const result = fn(permit)
    if (isThenable(result)) {
      throw new TypeError(`runSync of ${this.describe()} was given an async function: use run.`)
    }
    return result
  }

  /** How many permits are free. It may be otherwise by the time that you look at the answer. */
  get available(): number {
    return core.available(this.#seat)
  }

  #wanted(weight: number): string {
    return weight === 1 ? this.describe() : `${weight} permits of ${this.describe()}`
  }

  protected madeWith(): [number, PrimitiveOptions] {
    return [this.permits, { name: this.name }]
  }

  protected state(): string {
    return `${this.available} of ${this.permits} free`
  }

  static {
    describe = (semaphore) => semaphore.describe()
    giveBack = (semaphore, weight, unmended) => semaphore.#release(weight, unmended)
  }
}

letCross(Semaphore, 'semaphore', SEMAPHORE_BYTES)
synchronousOnly(Semaphore, [
  ['tryAcquire', 'acquire({ timeout: 0 })'],
  ['acquireSync', 'acquire()'],
  ['runSync', 'run(fn)', true],
])

function toWeightAndOptions<O>(weightOrOptions: number | O, options: O | undefined): [number, O | undefined] {
  return typeof weightOrOptions === 'object' && weightOrOptions !== null
    ? [1, weightOrOptions]
    : [weightOrOptions as number, options]
}

function isCount(n: unknown, least: number): boolean {
  return Number.isInteger(n) && (n as number) >= least && (n as number) <= MAX_PERMITS
}

/** Checked before the base takes memory for it. */
function checkedPermits(permits: number, options: PrimitiveOptions): PrimitiveOptions {
  if (isCount(permits, 0)) return options
  throw new RangeError(
    `A semaphore is made with an integer of 0 to ${MAX_PERMITS} permits; this one with ${String(permits)}.`,
  )
}

function checkedWeight(weight: number): number {
  if (isCount(weight, 1)) return weight
  throw new RangeError(`The weight is an integer of 1 to ${MAX_PERMITS}, not ${String(weight)}.`)
}
