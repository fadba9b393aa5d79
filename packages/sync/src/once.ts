/**
 * Something that runs once, of all threads that could run it: a handle to the words of `once-core.ts`, with
 * what this thread knows of the result.
 */
import { DeadlockError, FlatshareError, NotMarshalableError } from '@flatshare/core'
import {
  checkedTimeout,
  currentFrame,
  holdsOnPath,
  isAlive,
  isThenable,
  ownThreadId,
  readValue,
  runInFrame,
  synchronousOnly,
  threadName,
  trackAcrossAwait,
  type WrittenValue,
  writeValue,
} from '@flatshare/core/internal'
import { type AwaitOptions, awaitGrant, checkAwaitOptions } from './await-grant.js'
import { waiting } from './engine.js'
import { makeOnce, ONCE_BYTES, Turn } from './once-core.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'

const once = makeOnce(waiting)

/** What the function of a `Once` is told. */
export interface OnceContext {
  /** True when a thread died while it ran the function: what that was to do may be half done. Mend it, or do it anew. */
  readonly abandoned: boolean
}

/** What became of it, as this thread has it. */
type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/**
 * Runs a function on exactly one thread, of all that have it, and gives every one of them the result.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself.
 * Whoever comes first runs his function; the others wait for what becomes of it, blocking (`runSync`) or
 * awaiting (`run`), and whoever comes later has it at once. Their own functions don't run.
 *
 * The result crosses as anything does: as a copy, of which each thread has one, and the thread that ran has
 * the result itself; locks and free-threaded objects cross as themselves. A failure is final as well: all
 * get the error, with its class, message and stack.
 *
 * When the thread that runs ends before its function has returned, the function of one of those who wait,
 * or of the next to come, runs in its place, and is told so.
 *
 * @example
 * const settings = new Once<Settings>({ name: 'settings' })
 * worker.postMessage(...marshal(settings))
 * const { theme } = await settings.run(() => loadSettings())   // on any number of threads
 */
export class Once<T = unknown> extends Primitive {
  protected readonly word = 'once'
  #known: Outcome<T> | undefined

  /** @throws TypeError for a name that is no string. */
  constructor(options: PrimitiveOptions = {}) {
    super(ONCE_BYTES, options, "A once is made with nothing, or with a name: new Once({ name: 'settings' }).")
  }

  /**
   * The result: of `fn`, if it is the first; else what became of the first, for which it blocks the thread.
   *
   * @throws what the function that ran has thrown, on every thread.
   * @throws NotMarshalableError, on every thread, when its result can't cross to others.
   * @throws DeadlockError when this thread runs it already, or when this and other threads would wait for
   * each other for ever.
   * @throws TimeoutError (a DOMException) after waiting for `timeout` milliseconds. Without a `timeout`, after
   * 30 s if the thread that runs then isn't blocked itself: it may be awaiting what this thread is to do,
   * which nobody can tell. `Infinity` waits for ever. The time that `fn` takes itself doesn't count.
   * @throws CannotBlockError where the thread may not block and the result isn't there within a millisecond.
   * @throws TypeError, on every thread, when `fn` gives a promise: use `run`.
   * @example
   * const table = primes.runSync(() => sieve(1_000_000))
   */
  runSync(fn: (context: OnceContext) => T, options: Pick<AwaitOptions, 'timeout'> = {}): T {
    checkFunction(fn, 'runSync')
    const { timeout } = options
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    const known = this.#outcome()
    if (known) return resultOf(known)
    if (this.#runsHere()) throw this.#ownWait()
    const turn = once.startSync(this.address, { timeout, what: () => this.describe(), instead: 'await run()' })
    if (turn === Turn.finished) return resultOf(this.#outcome()!)
    let value: T
    try {
      value = this.#call(fn, turn)
      if (isThenable(value)) {
        throw new TypeError(`runSync of ${this.describe()} was given an async function: use run.`)
      }
    } catch (error) {
      this.#fail(error)
      throw error
    }
    return this.#succeed(value)
  }

  /**
   * As `runSync`, without blocking the thread: awaits `fn`, if it is the first, else what becomes of the first.
   * While it waits, it keeps the process alive.
   *
   * It rejects as `runSync` throws; after waiting for `timeout` milliseconds with a TimeoutError (a
   * DOMException), and without one it waits for ever; with the reason of `signal` when that aborts while it
   * waits; and with a DeadlockError inside of the function that runs, after an `await` too (except in
   * browsers, which can't tell). Neither `timeout` nor `signal` ends a function that runs.
   *
   * @example
   * const connection = await setup.run(async ({ abandoned }) => {
   *   if (abandoned) await removeHalfMade()
   *   return await make()
   * })
   */
  async run(fn: (context: OnceContext) => T | PromiseLike<T>, options: AwaitOptions = {}): Promise<T> {
    checkFunction(fn, 'run')
    checkAwaitOptions(options)
    const known = this.#outcome()
    if (known) return resultOf(known)
    if (holdsOnPath(this)) throw this.#ownWait()
    // Before the first await of `fn`, whether it has one or not can't be known.
    trackAcrossAwait()
    let turn = once.tryStart(this.address)
    if (turn === Turn.wait) {
      const enqueue = (waiter: { granted(result: number): void }) => once.enqueue(this.address, waiter)
      turn = (await awaitGrant<number>({ ...options, enqueue, timedOut: (timeout) => this.#timedOut(timeout) })) as Turn
    }
    if (turn === Turn.finished) return resultOf(this.#outcome()!)
    let value: T
    try {
      value = await this.#call(fn, turn)
    } catch (error) {
      this.#fail(error)
      throw error
    }
    return this.#succeed(value)
  }

  /** Whether there is a result or an error. Once true, it stays so, and `run` gives it at once. */
  get isDone(): boolean {
    return once.outcomeOf(this.address) !== undefined
  }

  /**
   * The result; undefined while there is none (`isDone` tells that from a result of undefined).
   *
   * @throws what the function that ran has thrown.
   */
  get value(): T | undefined {
    const known = this.#outcome()
    return known && resultOf(known)
  }

  #call<R>(fn: (context: OnceContext) => R, turn: Turn): R {
    return runInFrame({ parent: currentFrame(), holds: this }, () => fn({ abandoned: turn === Turn.runAbandoned }))
  }

  /** What became of it, read at the first time that this thread asks. */
  #outcome(): Outcome<T> | undefined {
    if (this.#known) return this.#known
    const outcome = once.outcomeOf(this.address)
    if (!outcome) return undefined
    const { succeeded, value } = outcome
    if (succeeded) return (this.#known = { value: readValue(value) as T })
    return (this.#known = { error: value === 0 ? this.#untold() : readValue(value) })
  }

  /** Keeps the result, for all. */
  #succeed(value: T): T {
    let written: WrittenValue
    try {
      written = writeValue(value, { table: true })
    } catch (error) {
      const failure = this.#unkept(error)
      this.#fail(failure)
      throw failure
    }
    this.#known = { value }
    once.finish(this.address, written.address, true)
    return value
  }

  /** Keeps the error, for all. */
  #fail(error: unknown): void {
    this.#known = { error }
    once.finish(this.address, this.#writeError(error), false)
  }

  #writeError(error: unknown): number {
    try {
      return writeValue(error, { table: true }).address
    } catch (reason) {
      try {
        return writeValue(this.#unkept(reason), { table: true }).address
      } catch {
        // Shared memory is full. Those who wait must not wait for ever, all the same.
        return 0
      }
    }
  }

  #unkept(reason: unknown): Error {
    const text = `What became of ${this.describe()} is lost to other threads. ${String((reason as Error)?.message ?? reason)}`
    const Class = reason instanceof NotMarshalableError ? NotMarshalableError : FlatshareError
    return new Class(text, { cause: reason })
  }

  #untold(): Error {
    return new FlatshareError(`The function of ${this.describe()} failed, and shared memory was too full to say how.`)
  }

  #runsHere(): boolean {
    return once.runnerOf(this.address) === ownThreadId()
  }

  #ownWait(): DeadlockError {
    const name = threadName(ownThreadId())
    const what = this.describe()
    return new DeadlockError(
      `The thread "${name}" runs the function of ${what}, so waiting for it here would never end. ` +
        'Use what the function has, or await run() outside of it.',
      { cycle: [`"${name}" waits for ${what}, held by "${name}"`] },
    )
  }

  #timedOut(timeout: number): Error {
    const runner = once.runnerOf(this.address)
    return waiting.timedOut(this.describe(), timeout, runner === 0 ? [] : [runner])
  }

  protected madeWith(): [PrimitiveOptions] {
    return [{ name: this.name }]
  }

  protected state(): string {
    const outcome = once.outcomeOf(this.address)
    if (outcome) return outcome.succeeded ? 'done' : 'failed'
    const runner = once.runnerOf(this.address)
    if (runner === 0) return 'not run yet'
    return `${isAlive(runner) ? 'run' : 'abandoned'} by "${threadName(runner)}"`
  }
}

letCross(Once, 'once', ONCE_BYTES)
synchronousOnly(Once, [['runSync', 'run(fn)', true]])

function resultOf<T>(outcome: Outcome<T>): T {
  if ('value' in outcome) return outcome.value
  throw outcome.error
}

function checkFunction(fn: unknown, method: string): void {
  if (typeof fn !== 'function') throw new TypeError(`${method} takes the function that is to run once.`)
}
