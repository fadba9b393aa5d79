/**
 * The mutex that programs see: a lock of the arena, a name, and guards.
 *
 * Its state is the 16 bytes of `lock.ts`; a `Mutex` is a handle to them, one a thread, kept weakly by
 * address. The bytes are never freed: no thread can know that no other has a handle, or a packet with one
 * on its way.
 */
import { AbandonedError, DeadlockError, FlatshareError, type ThreadId, WrongThreadError } from '@flatshare/core'
import {
  abortReason,
  allocate,
  checkedTimeout,
  currentFrame,
  holdsInFrame,
  isAlive,
  MARSHALER,
  type Marshaler,
  ownThreadId,
  reach,
  registerMarshaler,
  runInFrame,
  threadName,
  trackAcrossAwait,
} from '@flatshare/core/internal'
import { acquire, acquireNow, acquireSync, holderOf, isUnmended, release, releaseUnmended } from './arena-lock.js'
import { LOCK_BYTES, type Outcome } from './lock.js'

/** How to make a mutex. */
export interface MutexOptions {
  /** What errors and `console.log` call it, on all threads. */
  name?: string
}

/** How long to wait for a lock. */
export interface LockOptions {
  /** Milliseconds to wait at most; without it, for ever. 0 doesn't wait. */
  timeout?: number
  /** Gives up when it aborts; the promise rejects with its reason. */
  signal?: AbortSignal
}

/**
 * Stands for a mutex that is held: release it, once, on the thread that locked it.
 *
 * @example
 * using guard = mutex.lockSync()
 */
export class MutexGuard implements Disposable {
  /**
   * True when the last holder's thread died before it released the mutex: what it guards may be
   * half-changed. Mend that; `release` then says that it is whole.
   */
  readonly abandoned: boolean
  readonly #mutex: Mutex
  readonly #address: number
  #held = true

  /** @internal */
  constructor(mutex: Mutex, address: number, outcome: Outcome) {
    this.#mutex = mutex
    this.#address = address
    this.abandoned = outcome === 'abandoned'
  }

  /**
   * Unlocks the mutex.
   *
   * @throws FlatshareError when this guard has released it already.
   */
  release(): void {
    if (!this.#held) throw new FlatshareError(`${describe(this.#mutex)} was released by this guard before.`)
    this.#held = false
    release(this.#address)
  }

  /** Unlocks the mutex, unless this guard has done so already. */
  [Symbol.dispose](): void {
    if (this.#held) this.release()
  }

  static {
    Object.defineProperty(MutexGuard.prototype, MARSHALER, {
      value: {
        kind: 'mutex-guard',
        model: 'single',
        marshal(guard: MutexGuard): never {
          const here = threadName(ownThreadId())
          throw new WrongThreadError(
            `A guard of ${describe(guard.#mutex)} can't leave the thread "${here}", which locked it. Hand over the mutex.`,
          )
        },
        unmarshal(): never {
          throw new WrongThreadError('A guard of a mutex belongs to the thread that locked it.')
        },
      } satisfies Marshaler,
    })
  }
}

let addressOf: (mutex: Mutex) => number

/** The lock that the next `new Mutex` attaches to, 0 for a new one. */
let attachTo = 0

/**
 * A lock between threads: of all threads that have it, one at a time holds it.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself,
 * the same object each time. Lock it blocking (`lockSync`), awaiting (`lock`) or only if it is free
 * (`tryLock`). It belongs to a thread, so it isn't reentrant: blocking for a mutex that this thread holds
 * throws, and awaiting it queues.
 *
 * When the holder's thread ends, however it ends, the mutex goes to one waiter at once, whose guard says
 * `abandoned`. Awaiting waiters of one thread are served in their order; between threads whoever comes
 * first gets it.
 *
 * @example
 * const mutex = new Mutex({ name: 'ledger' })
 * worker.postMessage(...marshal(mutex))
 * await mutex.runExclusive(() => ledger.append(entry))
 */
export class Mutex {
  /** As given; '' without a name. */
  readonly name: string
  readonly #address: number
  /** The `runExclusive` of this thread that holds it. */
  #running: MutexGuard | undefined

  /** @throws TypeError for a name that is no string. */
  constructor(options: MutexOptions = {}) {
    const { name = '' } = options
    if (typeof options !== 'object' || typeof name !== 'string') {
      throw new TypeError("A mutex is made with nothing, or with a name: new Mutex({ name: 'ledger' }).")
    }
    this.name = name
    this.#address = attachTo || allocate(LOCK_BYTES)
  }

  /**
   * Locks the mutex; blocks the thread while another one holds it.
   *
   * @throws DeadlockError at once, when this thread holds it already, or when this and other threads
   * would wait for each other for ever; its `cycle` names each of them and its lock.
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds.
   * @throws CannotBlockError where the thread may not block and the mutex isn't free within microseconds.
   * @example
   * using guard = mutex.lockSync({ timeout: 1000 })
   */
  lockSync(options?: Pick<LockOptions, 'timeout'>): MutexGuard {
    return new MutexGuard(this, this.#address, this.#acquireSync(options?.timeout))
  }

  #acquireSync(timeout: number | undefined): Outcome {
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    const outcome = acquireNow(this.#address, true)
    return outcome === 'held' ? acquireSync(this.#address, { timeout, what: () => describe(this) }) : outcome
  }

  /**
   * Locks the mutex without blocking the thread. While it waits, it keeps the process alive. Giving up
   * by `signal` or `timeout` leaves no trace and costs nobody his turn.
   *
   * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, with the signal's reason when
   * that aborts, and with a DeadlockError inside of this mutex's own `runExclusive`.
   *
   * @example
   * using guard = await mutex.lock({ signal })
   */
  lock(options?: LockOptions): Promise<MutexGuard> {
    try {
      if (this.#running && holdsInFrame(this.#running)) throw this.#ownWait()
      if (options) {
        if (options.timeout !== undefined) checkedTimeout(options.timeout, 'A timeout')
        const { signal } = options
        if (signal !== undefined && !(signal instanceof AbortSignal))
          throw new TypeError('signal is not an AbortSignal.')
        if (signal?.aborted) throw abortReason(signal)
      }
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const outcome = acquireNow(this.#address)
    if (outcome !== 'held') return Promise.resolve(new MutexGuard(this, this.#address, outcome))
    return acquire(this.#address, { ...options, what: () => describe(this) }).then(
      (outcome) => new MutexGuard(this, this.#address, outcome),
    )
  }

  /** Locks the mutex if it is free; else gives undefined, at once. */
  tryLock(): MutexGuard | undefined {
    const outcome = acquireNow(this.#address, true)
    return outcome === 'held' ? undefined : new MutexGuard(this, this.#address, outcome)
  }

  /**
   * Awaits the mutex, runs `fn`, awaits what that gives, and unlocks, also when it throws.
   *
   * It rejects as `lock` does. It rejects with an AbandonedError, without running `fn`, when a holder's thread died: nobody
   * has said that what the mutex guards is whole. It stays so for the next ones, until somebody locks it
   * with `lock`, `lockSync` or `tryLock`, mends what is broken, and releases the guard.
   *
   * Inside `fn`, `lock` and `runExclusive` of the same mutex throw a DeadlockError, after an `await` too
   * (except in browsers, which can't tell).
   */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: LockOptions): Promise<R> {
    // Before the first await of `fn`, whether it has one or not can't be known.
    trackAcrossAwait()
    const guard = await this.lock(options)
    if (guard.abandoned) throw this.#abandoned()
    this.#running = guard
    try {
      return await runInFrame({ parent: currentFrame(), holds: guard }, fn)
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
  runExclusiveSync<R>(fn: () => R, options?: Pick<LockOptions, 'timeout'>): R {
    if (this.#acquireSync(options?.timeout) === 'abandoned') throw this.#abandoned()
    try {
      const result = fn()
      if (isThenable(result)) {
        throw new TypeError(`runExclusiveSync of ${describe(this)} was given an async function: use runExclusive.`)
      }
      return result
    } finally {
      release(this.#address)
    }
  }

  /** Whether some living thread holds the mutex. It may be otherwise by the time that you look at the answer. */
  isLocked(): boolean {
    const holder = holderOf(this.#address)
    return holder !== 0 && isAlive(holder)
  }

  #ownWait(): DeadlockError {
    const name = threadName(ownThreadId())
    const what = describe(this)
    return new DeadlockError(
      `This code runs inside of runExclusive of ${what}, so awaiting it here would never end. Use the mutex that is held.`,
      { cycle: [`"${name}" waits for ${what}, held by "${name}"`] },
    )
  }

  #abandoned(): AbandonedError {
    releaseUnmended(this.#address)
    return new AbandonedError(
      `A thread died while it held ${describe(this)}: what it guards may be half-changed. ` +
        'Take it with lock() or lockSync(), mend that, and release the guard.',
    )
  }

  /** What `console.log` shows, where the runtime asks: the name, and who holds it. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Mutex ${label(this)} (${stateOf(this.#address)})`
  }

  static {
    addressOf = (mutex) => mutex.#address
  }
}

function stateOf(address: number): string {
  const holder: ThreadId = holderOf(address)
  if (holder === 0) return isUnmended(address) ? 'free, abandoned' : 'free'
  return `${isAlive(holder) ? 'held' : 'abandoned'} by "${threadName(holder)}"`
}

function label(mutex: Mutex): string {
  return mutex.name ? `"${mutex.name}"` : `#${addressOf(mutex) >> 4}`
}

function describe(mutex: Mutex): string {
  return `mutex ${label(mutex)}`
}

function isThenable(x: unknown): boolean {
  return (typeof x === 'object' || typeof x === 'function') && x !== null && typeof (x as any).then === 'function'
}

const handles = new Map<number, WeakRef<Mutex>>()
const collected = new FinalizationRegistry<number>((address) => {
  if (!handles.get(address)?.deref()) handles.delete(address)
})

function keep(address: number, mutex: Mutex): void {
  if (handles.get(address)?.deref() === mutex) return
  handles.set(address, new WeakRef(mutex))
  collected.register(mutex, address)
}

interface MutexBody {
  address: number
  name: string
}

const mutexMarshaler: Marshaler<Mutex, MutexBody> = {
  kind: 'mutex',
  model: 'free',
  marshal(mutex) {
    const address = addressOf(mutex)
    keep(address, mutex)
    return { address, name: mutex.name }
  },
  unmarshal({ address, name }) {
    const known = handles.get(address)?.deref()
    if (known) return known
    reach(address + LOCK_BYTES)
    attachTo = address
    try {
      const mutex = new Mutex({ name })
      keep(address, mutex)
      return mutex
    } finally {
      attachTo = 0
    }
  },
}

Object.defineProperty(Mutex.prototype, MARSHALER, { value: mutexMarshaler })
registerMarshaler(mutexMarshaler)
