/** The mutex that programs see: a lock of the arena (`lock.ts`), a name, and guards. */
import { AbandonedError, DeadlockError } from '@flatshare/core'
import {
  type Call,
  checkedTimeout,
  currentCall,
  currentFrame,
  holdsInFrame,
  isAlive,
  ownThreadId,
  runInFrame,
  threadName,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import {
  acquire,
  acquireNow,
  acquireSync,
  holderOf,
  isUnmended,
  release,
  releaseUnmended,
  tryAcquire,
} from './arena-lock.js'
import { type AwaitOptions, checkAwaitOptions } from './await-grant.js'
import { Guard } from './guard.js'
import { LOCK_BYTES, type Outcome } from './lock.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'

/** How to make a mutex. */
export interface MutexOptions extends PrimitiveOptions {
  /** Whether code that holds it may lock it again: see `Mutex`. */
  reentrant?: boolean
}

/** How long to wait for a lock. */
export type LockOptions = AwaitOptions

/** How long to block for a lock. */
export type BlockingOptions = Pick<AwaitOptions, 'timeout'>

/** How a mutex is held on this thread: by one lock, and those that entered again. */
interface Hold {
  depth: number
  outcome: Outcome
  /** The call that the code served which locked it by `lockSync` or `tryLock`; 'none' for an asynchronous lock. */
  readonly by: Call | undefined | 'none'
}

let suspendGuard: (guard: MutexGuard) => Mutex
let resumeGuard: (guard: MutexGuard, hold: Hold) => void
let holdOfGuard: (guard: MutexGuard) => Hold
let describe: (mutex: Mutex) => string
let leave: (mutex: Mutex, hold: Hold) => void
let setHold: (mutex: Mutex, hold: Hold | undefined) => void
let addressOf: (mutex: Mutex) => number

/**
 * Stands for a mutex that is held: release it, once, on the thread that locked it.
 *
 * @example
 * using guard = mutex.lockSync()
 */
export class MutexGuard extends Guard {
  readonly #mutex: Mutex
  #hold: Hold

  /** @internal */
  constructor(mutex: Mutex, hold: Hold) {
    super()
    this.#mutex = mutex
    this.#hold = hold
  }

  /**
   * True when the last holder's thread died before it released the mutex: what it guards may be
   * half-changed. Mend that; `release` then says that it is whole.
   */
  get abandoned(): boolean {
    return this.#hold.outcome === 'abandoned'
  }

  protected describe(): string {
    return describe(this.#mutex)
  }

  protected letGo(): void {
    leave(this.#mutex, this.#hold)
  }

  static {
    suspendGuard = (guard) => {
      guard.checkHeld()
      guard.held = false
      return guard.#mutex
    }
    resumeGuard = (guard, hold) => {
      guard.held = true
      guard.#hold = hold
    }
    holdOfGuard = (guard) => guard.#hold
  }
}

/**
 * A lock between threads: of all threads that have it, one at a time holds it.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself,
 * the same object each time. Lock it blocking (`lockSync`), awaiting (`lock`) or only if it is free
 * (`tryLock`). Blocking for a mutex that this thread holds throws, and awaiting it queues.
 *
 * Awaiting waiters are served in their order, whatever thread they are on. Blocking ones may get ahead of
 * others; at least each millisecond the mutex goes to whoever has waited longest. When the holder's
 * thread ends, however it ends, the mutex goes to one waiter at once, whose guard says `abandoned`.
 *
 * With `reentrant: true` the code that holds it may lock it again, and it is free when each of these
 * guards is released. What holds it is inside `runExclusive`, all that `fn` calls, after an `await` too
 * (except in browsers, which can't tell); and inside `lockSync`, the thread while it serves the same call
 * from another thread, or none. So don't keep a `lockSync` guard across an `await`: other code of this
 * thread would pass for its holder. A guard from `await lock()` alone is not entered again.
 *
 * @example
 * const mutex = new Mutex({ name: 'ledger' })
 * worker.postMessage(...marshal(mutex))
 * await mutex.runExclusive(() => ledger.append(entry))
 */
export class Mutex extends Primitive {
  protected readonly word = 'mutex'
  readonly #reentrant: boolean
  /** How this thread holds it, if it does. */
  #hold: Hold | undefined
  /** The `runExclusive` of this thread that holds it. */
  #running: Hold | undefined

  /** @throws TypeError for a name that is no string. */
  constructor(options: MutexOptions = {}) {
    super(LOCK_BYTES, options, "A mutex is made with nothing, or with options: new Mutex({ name: 'ledger' }).")
    const { reentrant = false } = options
    if (typeof reentrant !== 'boolean') throw new TypeError('reentrant is true or false.')
    this.#reentrant = reentrant
  }

  /**
   * Locks the mutex; blocks the thread while another one holds it.
   *
   * @throws DeadlockError at once, when this thread holds it already, or when this and other threads
   * would wait for each other for ever; its `cycle` names each of them and its lock.
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds. Without a `timeout`, after 30 s if
   * the holder then isn't blocked itself: it may be awaiting what this thread is to do, which nobody can
   * tell. `Infinity` waits for ever.
   * @throws CannotBlockError where the thread may not block and the mutex isn't free within a millisecond.
   * @example
   * using guard = mutex.lockSync({ timeout: 1000 })
   */
  lockSync(options?: BlockingOptions): MutexGuard {
    return new MutexGuard(this, this.#holdSync(options?.timeout))
  }

  #holdSync(timeout: number | undefined): Hold {
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    let outcome = tryAcquire(this.address)
    if (outcome === 'held') {
      if (this.#reentrant && this.#isInside()) return this.#again()
      const options = timeout === undefined ? { what: () => this.describe() } : { timeout, what: () => this.describe() }
      outcome = acquireSync(this.address, options)
    }
    return this.#begin(outcome, this.#reentrant ? currentCall() : undefined)
  }

  #begin(outcome: Outcome, by: Hold['by']): Hold {
    const hold = { depth: 1, outcome, by }
    this.#hold = hold
    return hold
  }

  #again(): Hold {
    this.#hold!.depth++
    return this.#hold!
  }

  /** Whether the running code is what holds the mutex on this thread. */
  #isInside(): boolean {
    const hold = this.#hold
    if (!hold) return false
    return holdsInFrame(hold) || (hold.by !== 'none' && hold.by === currentCall())
  }

  /**
   * Locks the mutex without blocking the thread. While it waits, it keeps the process alive. Giving up
   * by `signal` or `timeout` leaves no trace and costs nobody his turn.
   *
   * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, with the signal's reason when
   * that aborts, and with a DeadlockError inside of this mutex's own `runExclusive`, unless it is reentrant.
   *
   * @example
   * using guard = await mutex.lock({ signal })
   */
  lock(options?: LockOptions): Promise<MutexGuard> {
    try {
      if (options) checkAwaitOptions(options)
      if (this.#reentrant && this.#isInside()) return Promise.resolve(new MutexGuard(this, this.#again()))
      if (this.#running && holdsInFrame(this.#running)) throw this.#ownWait()
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const outcome = acquireNow(this.address)
    if (outcome !== 'held') return Promise.resolve(new MutexGuard(this, this.#begin(outcome, 'none')))
    return acquire(this.address, { ...options, what: () => this.describe() }).then(
      (outcome) => new MutexGuard(this, this.#begin(outcome, 'none')),
    )
  }

  /** Locks the mutex if it is free; else gives undefined, at once. */
  tryLock(): MutexGuard | undefined {
    const outcome = tryAcquire(this.address)
    if (outcome !== 'held') {
      return new MutexGuard(this, this.#begin(outcome, this.#reentrant ? currentCall() : undefined))
    }
    return this.#reentrant && this.#isInside() ? new MutexGuard(this, this.#again()) : undefined
  }

  /**
   * Awaits the mutex, runs `fn`, awaits what that gives, and unlocks, also when it throws.
   *
   * It rejects as `lock` does. It rejects with an AbandonedError, without running `fn`, when a holder's thread died: nobody
   * has said that what the mutex guards is whole. It stays so for the next ones, until somebody locks it
   * with `lock`, `lockSync` or `tryLock`, mends what is broken, and releases the guard.
   *
   * Inside `fn`, `lock` and `runExclusive` of the same mutex throw a DeadlockError, after an `await` too
   * (except in browsers, which can't tell); those of a reentrant mutex go in.
   */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: LockOptions): Promise<R> {
    // Before the first await of `fn`, whether it has one or not can't be known.
    trackAcrossAwait()
    const guard = await this.lock(options)
    const hold = holdOfGuard(guard)
    if (hold.depth > 1) {
      try {
        return await fn()
      } finally {
        guard.release()
      }
    }
    if (guard.abandoned) throw this.#abandoned()
    this.#running = hold
    try {
      return await runInFrame({ parent: currentFrame(), holds: hold }, fn)
    } finally {
      this.#running = undefined
      guard.release()
    }
  }

  /**
   * Locks the mutex, blocking, runs `fn`, and unlocks, also when it throws.
   *
   * @throws AbandonedError as `runExclusive`, and what `lockSync` throws.
   * @throws TypeError when `fn` gives a promise: the lock would be gone before its work is done.
   */
  runExclusiveSync<R>(fn: () => R, options?: BlockingOptions): R {
    const hold = this.#holdSync(options?.timeout)
    if (hold.outcome === 'abandoned' && hold.depth === 1) throw this.#abandoned()
    try {
      const result = fn()
      if (isThenable(result)) {
        throw new TypeError(`runExclusiveSync of ${this.describe()} was given an async function: use runExclusive.`)
      }
      return result
    } finally {
      this.#leave(hold)
    }
  }

  #leave(hold: Hold): void {
    if (--hold.depth > 0) return
    if (this.#hold === hold) this.#hold = undefined
    release(this.address)
  }

  /** Whether some living thread holds the mutex. It may be otherwise by the time that you look at the answer. */
  isLocked(): boolean {
    const holder = holderOf(this.address)
    return holder !== 0 && isAlive(holder)
  }

  protected madeWith(): [MutexOptions] {
    return [{ name: this.name, reentrant: this.#reentrant }]
  }

  protected state(): string {
    const holder = holderOf(this.address)
    if (holder === 0) return isUnmended(this.address) ? 'free, abandoned' : 'free'
    return `${isAlive(holder) ? 'held' : 'abandoned'} by "${threadName(holder)}"`
  }

  #ownWait(): DeadlockError {
    const name = threadName(ownThreadId())
    const what = this.describe()
    return new DeadlockError(
      `This code runs inside of runExclusive of ${what}, so awaiting it here would never end. Use the mutex that is held.`,
      { cycle: [`"${name}" waits for ${what}, held by "${name}"`] },
    )
  }

  #abandoned(): AbandonedError {
    this.#hold = undefined
    releaseUnmended(this.address)
    return new AbandonedError(
      `A thread died while it held ${this.describe()}: what it guards may be half-changed. ` +
        'Take it with lock() or lockSync(), mend that, and release the guard.',
    )
  }

  static {
    describe = (mutex) => mutex.describe()
    leave = (mutex, hold) => mutex.#leave(hold)
    setHold = (mutex, hold) => {
      mutex.#hold = hold
    }
    addressOf = (mutex) => mutex.address
  }
}

letCross(Mutex, 'mutex', LOCK_BYTES)

function isThenable(x: unknown): boolean {
  return (typeof x === 'object' || typeof x === 'function') && x !== null && typeof (x as any).then === 'function'
}

/**
 * For `Condition`: a guard whose mutex is unlocked for a while, whatever its depth. The guard can't be
 * used until `relocked` is called, once the lock at `address` belongs to this thread again.
 *
 * @throws FlatshareError when the guard was released.
 */
export function suspend(guard: MutexGuard): { address: number; what: () => string; relocked(outcome: Outcome): void } {
  const mutex = suspendGuard(guard)
  const hold = holdOfGuard(guard)
  setHold(mutex, undefined)
  return {
    address: addressOf(mutex),
    what: () => describe(mutex),
    relocked(outcome) {
      // What was abandoned and not released is so still.
      if (outcome === 'abandoned') hold.outcome = outcome
      setHold(mutex, hold)
      resumeGuard(guard, hold)
    },
  }
}
