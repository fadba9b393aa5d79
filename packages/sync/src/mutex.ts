/** The mutex that programs see: a lock of the arena (`lock.ts`), a name, and guards. */
import { AbandonedError, DeadlockError, type FlatshareError } from '@flatshare/core'
import {
  type Call,
  currentCall,
  currentFrame,
  holdsOnPath,
  isAlive,
  isThenable,
  ownThreadId,
  runInFrame,
  synchronousOnly,
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
import { type AwaitOptions, blockingTimeout, checkAwaitOptions } from './await-grant.js'
import { guardText, isCutOff, keepOnItsThread, spentGuard } from './guard.js'
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

/** How a reentrant mutex is held on this thread: by one lock, and those that entered again. */
interface Hold {
  depth: number
  /** The call that the code served which locked it by `lockSync` or `tryLock`; 'none' for an asynchronous lock. */
  readonly by: Call | undefined | 'none'
}

let releaseMutex: (mutex: Mutex, hold: Hold | undefined, unmended?: boolean) => void
let describe: (mutex: Mutex) => string
let setHold: (mutex: Mutex, hold: Hold | undefined) => void
let addressOf: (mutex: Mutex) => number
let suspendGuard: (guard: MutexGuard) => Suspended
let abandonGuard: (guard: MutexGuard) => void

/**
 * Stands for a mutex that is held: release it, once, on the thread that locked it.
 *
 * @example
 * using guard = mutex.lockSync()
 */
export class MutexGuard implements Disposable {
  // Not a `Guard`: a class of its own, with nothing inherited, is made in half the time.
  readonly #mutex: Mutex
  #abandoned: boolean
  readonly #hold: Hold | undefined
  #held = true
  /** @internal */
  readonly toJSON = guardText

  /** @internal */
  constructor(mutex: Mutex, abandoned: boolean, hold: Hold | undefined) {
    this.#mutex = mutex
    this.#abandoned = abandoned
    this.#hold = hold
  }

  /**
   * True when the last holder's thread died before it released the mutex: what it guards may be
   * half-changed. Mend that; `release` then says that it is whole.
   */
  get abandoned(): boolean {
    return this.#abandoned
  }

  /**
   * Unlocks the mutex.
   *
   * @throws FlatshareError when this guard has released it already, or this thread isn't the holder any more.
   */
  release(): void {
    if (!this.#held) throw this.#spent()
    // First: where the stack is used up nothing is released, and the guard is good for another try.
    releaseMutex(this.#mutex, this.#hold)
    this.#held = false
  }

  /** Unlocks the mutex, unless this guard has done so already. */
  [Symbol.dispose](): void {
    if (this.#held) this.release()
  }

  #spent(): FlatshareError {
    return spentGuard(describe(this.#mutex))
  }

  static {
    suspendGuard = (guard) => {
      if (!guard.#held) throw guard.#spent()
      const mutex = guard.#mutex
      guard.#held = false
      setHold(mutex, undefined)
      return {
        address: addressOf(mutex),
        what: () => describe(mutex),
        relocked(outcome) {
          guard.#held = true
          // What was abandoned, and not released since, is so still.
          if (outcome === 'abandoned') guard.#abandoned = true
          setHold(mutex, guard.#hold)
        },
      }
    }
    abandonGuard = (guard) => {
      if (!guard.#held) return
      releaseMutex(guard.#mutex, guard.#hold, true)
      guard.#held = false
    }
    keepOnItsThread(MutexGuard, { describe: (guard) => describe(guard.#mutex), abandon: abandonGuard })
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
 * thread ends, however it ends, the mutex goes to one waiter at once, whose guard says `abandoned`; so it does when the
 * process ends that holds it by a proxy. By a proxy it is awaited: `tryLock`, `lockSync` and `runExclusiveSync` throw a
 * DowngradeError there, before anything is sent, which names what to call instead.
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
  /** How this thread holds it, if it is reentrant and does. */
  #hold: Hold | undefined
  /** The guard of the `runExclusive` of this thread that holds it. */
  #running: MutexGuard | undefined

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
    if (options !== undefined || this.#reentrant) return this.#lockSlow('held', blockingTimeout(options))
    // Before the lock is taken: there may be no stack left to make one.
    const guard = new MutexGuard(this, false, undefined)
    const outcome = tryAcquire(this.address)
    return outcome === 'acquired' ? guard : this.#lockSlow(outcome, undefined)
  }

  #lockSlow(seen: Outcome | 'held', timeout: number | undefined): MutexGuard {
    if (this.#reentrant && this.#isInside()) return this.#again()
    return this.#begin(seen === 'held' ? this.#acquireSync(timeout) : seen, this.#reentrant ? currentCall() : undefined)
  }

  #acquireSync(timeout: number | undefined): Outcome {
    const what = () => this.describe()
    return acquireSync(this.address, timeout === undefined ? { what } : { timeout, what })
  }

  #begin(outcome: Outcome, by: Hold['by']): MutexGuard {
    if (this.#reentrant) this.#hold = { depth: 1, by }
    return new MutexGuard(this, outcome === 'abandoned', this.#hold)
  }

  #again(): MutexGuard {
    this.#hold!.depth++
    return new MutexGuard(this, false, this.#hold)
  }

  /** Whether the running code is what holds the mutex on this thread. */
  #isInside(): boolean {
    const hold = this.#hold
    return hold !== undefined && (holdsOnPath(hold) || (hold.by !== 'none' && hold.by === currentCall()))
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
      if (options !== undefined) checkAwaitOptions(options)
      if (this.#reentrant && this.#isInside()) return Promise.resolve(this.#again())
      if (this.#running && holdsOnPath(this.#running)) throw this.#ownWait()
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const outcome = acquireNow(this.address)
    if (outcome !== 'held') return Promise.resolve(this.#begin(outcome, 'none'))
    return acquire(this.address, { ...options, what: () => this.describe() }).then((outcome) =>
      this.#begin(outcome, 'none'),
    )
  }

  /** Locks the mutex if it is free; else gives undefined, at once. */
  tryLock(): MutexGuard | undefined {
    const outcome = tryAcquire(this.address)
    if (outcome !== 'held') return this.#begin(outcome, this.#reentrant ? currentCall() : undefined)
    return this.#reentrant && this.#isInside() ? this.#again() : undefined
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
    checkFunction(fn, 'runExclusive')
    // Before the first await of `fn`, whether it has one or not can't be known.
    trackAcrossAwait()
    const guard = await this.lock(options)
    if (guard.abandoned) throw this.#abandoned()
    const hold = this.#hold
    const outer = this.#running
    const call = currentCall()
    let unmended = false
    this.#running = guard
    try {
      return await runInFrame({ parent: currentFrame(), holds: hold ?? guard }, fn)
    } catch (error) {
      unmended = isCutOff(error, call)
      throw error
    } finally {
      this.#running = outer
      if (unmended) abandonGuard(guard)
      else guard.release()
    }
  }

  /**
   * Locks the mutex, blocking, runs `fn`, and unlocks, also when it throws.
   *
   * @throws AbandonedError as `runExclusive`, and what `lockSync` throws.
   * @throws TypeError when `fn` gives a promise: the lock would be gone before its work is done.
   */
  runExclusiveSync<R>(fn: () => R, options?: BlockingOptions): R {
    checkFunction(fn, 'runExclusiveSync')
    const outcome = options === undefined && !this.#reentrant ? tryAcquire(this.address) : 'held'
    if (outcome !== 'acquired') {
      const guard = this.#lockSlow(outcome, blockingTimeout(options))
      if (guard.abandoned) throw this.#abandoned()
    }
    const hold = this.#hold
    try {
      const result = fn()
      if (isThenable(result)) {
        throw new TypeError(`runExclusiveSync of ${this.describe()} was given an async function: use runExclusive.`)
      }
      return result
    } finally {
      this.#release(hold)
    }
  }

  #release(hold: Hold | undefined, unmended = false): void {
    if (hold !== undefined) {
      if (--hold.depth > 0) return
      if (this.#hold === hold) this.#hold = undefined
    }
    if (unmended) releaseUnmended(this.address)
    else release(this.address)
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
    releaseMutex = (mutex, hold, unmended) => mutex.#release(hold, unmended)
    setHold = (mutex, hold) => {
      mutex.#hold = hold
    }
    addressOf = (mutex) => mutex.address
  }
}

letCross(Mutex, 'mutex', LOCK_BYTES)
synchronousOnly(Mutex, [
  ['tryLock', 'lock({ timeout: 0 })'],
  ['lockSync', 'lock()'],
  ['runExclusiveSync', 'runExclusive(fn)', true],
])

function checkFunction(fn: unknown, method: string): void {
  if (typeof fn !== 'function') throw new TypeError(`${method} takes a function to run with the mutex held.`)
}

/** A guard whose mutex is unlocked for a while. */
export interface Suspended {
  /** Where its lock is: to be released, and taken again. */
  readonly address: number
  readonly what: () => string
  /** The lock belongs to this thread again: the guard can be used. */
  relocked(outcome: Outcome): void
}

/**
 * For `Condition`: takes the use of a guard away, whatever its depth, until its mutex is locked again.
 *
 * @throws FlatshareError when the guard was released.
 */
export function suspend(guard: MutexGuard): Suspended {
  return suspendGuard(guard)
}
