/** The readers-writer lock that programs see: the words of `rwlock-core.ts`, a name, and guards. */
import { AbandonedError, DeadlockError } from '@flatshare/core'
import {
  checkedTimeout,
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
import { awaitGrant, checkAwaitOptions } from './await-grant.js'
import { waiting } from './engine.js'
import { isCutOff } from './guard.js'
import type { Outcome } from './lock.js'
import type { BlockingOptions, LockOptions } from './mutex.js'
import { letCross, Primitive, type PrimitiveOptions } from './primitive.js'
import { makeRwLock, RWLOCK_BYTES, type RwLockWaiter, rwLockIn } from './rwlock-core.js'
import { abandon, checkReads, checkWrites, type Guarded, mark, ReadGuard, spend, WriteGuard } from './rwlock-guards.js'
import type { WaitNode } from './wait-queue.js'

const words = makeRwLock(waiting)

/**
 * A lock between threads by which any number of readers, or one writer, have what it guards.
 *
 * Make it on any thread and hand it to others with `marshal`, or inside any call: it arrives as itself.
 * Readers on many threads don't slow each other down: a read touches nothing that another thread writes. So
 * it pays where most of the work is to read; for short turns of which many write, a `Mutex` is faster.
 *
 * Nobody starves. Who comes while somebody waits waits too, and readers and writers take turns: when a writer
 * releases, all readers that wait then come in, also past writers that have waited longer; then one writer.
 * A thread that reads may read again at once, blocking or with `tryRead`, although a writer waits, as that
 * waits for this thread too; so may what runs inside of `runReading`. An awaited `read()` elsewhere queues.
 *
 * When a reader's thread ends, however it ends, its reads end with it. When a writer's does, the lock goes on
 * at once, and the guards of all say `abandoned`, until one that writes is released.
 *
 * @example
 * const lock = new RwLock({ name: 'prices' })
 * worker.postMessage(...marshal(lock))
 * const price = lock.runReadingSync(() => prices.get(article))
 * await lock.runWriting(() => prices.set(article, price + 1))
 */
export class RwLock extends Primitive {
  protected readonly word = 'rwlock'
  readonly #at: number
  /** This thread's words to read with, once it has read. */
  #record = 0
  readonly #guarded: Guarded
  /** What is waited for, in errors. */
  readonly #readAccess = () => `read access by ${this.describe()}`
  readonly #writeAccess = () => `write access by ${this.describe()}`
  /** What runs on this thread inside of `runReading` and `runWriting`. */
  readonly #reading = new Set<object>()
  #writing: object | undefined

  /** @throws TypeError for a name that is no string. */
  constructor(options: PrimitiveOptions = {}) {
    super(RWLOCK_BYTES, options, "A rwlock is made with nothing, or with a name: new RwLock({ name: 'prices' }).")
    this.#at = rwLockIn(this.address)
    this.#guarded = {
      lock: this,
      describe: () => this.describe(),
      endRead: () => words.releaseRead(this.#at, this.#record),
      endWrite: (unmended) => words.releaseWrite(this.#at, unmended),
    }
  }

  /**
   * Reads; blocks the thread while another one writes, or waits to write and this thread doesn't read yet.
   *
   * @throws DeadlockError at once, when this thread writes by this lock (downgrade that guard), or when this
   * and other threads would wait for each other for ever; its `cycle` names each of them and its lock.
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds. Without a `timeout`, after 30 s if
   * none of those who hold the lock is blocked itself then: one may be awaiting what this thread is to do,
   * which nobody can tell. `Infinity` waits for ever.
   * @throws CannotBlockError where the thread may not block and can't read within a millisecond.
   * @example
   * using guard = lock.readSync({ timeout: 1000 })
   */
  readSync(options?: BlockingOptions): ReadGuard {
    return this.#readGuard(this.#readNow(options?.timeout))
  }

  #readNow(timeout: number | undefined): Outcome {
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    return words.readSync(this.#at, this.#ownRecord(), this.#readAccess, timeout)
  }

  /**
   * Reads, without blocking the thread. While it waits, it keeps the process alive. Giving up by `signal` or
   * `timeout` leaves no trace and costs nobody his turn.
   *
   * It rejects with a TimeoutError (a DOMException) after `timeout` milliseconds, with the signal's reason
   * when that aborts, and with a DeadlockError inside of this lock's own `runWriting`.
   *
   * @example
   * using guard = await lock.read({ signal })
   */
  read(options?: LockOptions): Promise<ReadGuard> {
    try {
      if (options) checkAwaitOptions(options)
      this.#refuseInside(this.#writing, this.#readAccess)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const record = this.#ownRecord()
    const outcome = words.tryRead(this.#at, record, this.#readsInFrame())
    if (outcome !== 'held') return Promise.resolve(this.#readGuard(outcome))
    return this.#await(options, this.#readAccess, (waiter) => words.enqueueRead(this.#at, record, waiter)).then(
      (outcome) => this.#readGuard(outcome),
    )
  }

  /** Reads if that needs no waiting; else gives undefined, at once. */
  tryRead(): ReadGuard | undefined {
    const outcome = words.tryRead(this.#at, this.#ownRecord())
    return outcome === 'held' ? undefined : this.#readGuard(outcome)
  }

  /**
   * Writes; blocks the thread while others read or write.
   *
   * @throws DeadlockError at once, when this thread reads by this lock (upgrade that guard) or writes, or when
   * this and other threads would wait for each other for ever; its `cycle` names each of them and its lock.
   * @throws TimeoutError (a DOMException) and CannotBlockError as `readSync`.
   * @example
   * using guard = lock.writeSync()
   */
  writeSync(options?: BlockingOptions): WriteGuard {
    return this.#writeGuard(this.#writeNow(options?.timeout))
  }

  #writeNow(timeout: number | undefined): Outcome {
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    return words.writeSync(this.#at, this.#writeAccess, timeout)
  }

  /**
   * Writes, without blocking the thread: awaits that others, and this thread by other guards, no longer read
   * or write. While it waits, it keeps the process alive. Giving up leaves no trace, as with `read`.
   *
   * It rejects as `read` does, and with a DeadlockError inside of this lock's own `runReading` too.
   */
  write(options?: LockOptions): Promise<WriteGuard> {
    try {
      if (options) checkAwaitOptions(options)
      this.#refuseWriteInside()
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const outcome = words.tryWrite(this.#at)
    if (outcome !== 'held') return Promise.resolve(this.#writeGuard(outcome))
    return this.#await(options, this.#writeAccess, (waiter) => words.enqueueWrite(this.#at, waiter)).then((outcome) =>
      this.#writeGuard(outcome),
    )
  }

  /** Writes if that needs no waiting; else gives undefined, at once. */
  tryWrite(): WriteGuard | undefined {
    const outcome = words.tryWrite(this.#at)
    return outcome === 'held' ? undefined : this.#writeGuard(outcome)
  }

  /** `guard.upgradeSync(options)`. */
  upgradeSync(guard: ReadGuard, options?: BlockingOptions): WriteGuard {
    checkReads(guard, this, this.describe())
    const timeout = options?.timeout
    if (timeout !== undefined) checkedTimeout(timeout, 'A timeout')
    return this.#upgraded(guard, words.upgradeSync(this.#at, this.#record, this.#writeAccess, timeout))
  }

  /** `guard.upgrade(options)`. */
  upgrade(guard: ReadGuard, options?: LockOptions): Promise<WriteGuard> {
    try {
      checkReads(guard, this, this.describe())
      if (options) checkAwaitOptions(options)
      this.#refuseWriteInside()
    } catch (error) {
      return Promise.reject(error as Error)
    }
    const outcome = words.tryUpgrade(this.#at, this.#record)
    if (outcome !== 'held') return Promise.resolve(this.#upgraded(guard, outcome))
    mark(guard, 'upgrades')
    return this.#await(options, this.#writeAccess, (waiter) =>
      words.enqueueUpgrade(this.#at, this.#record, waiter, this.#writeAccess),
    ).then(
      (outcome) => this.#upgraded(guard, outcome),
      (error) => {
        mark(guard, 'reads')
        throw error
      },
    )
  }

  /** `guard.tryUpgrade()`. */
  tryUpgrade(guard: ReadGuard): WriteGuard | undefined {
    checkReads(guard, this, this.describe())
    const outcome = words.tryUpgrade(this.#at, this.#record)
    return outcome === 'held' ? undefined : this.#upgraded(guard, outcome)
  }

  #upgraded(guard: ReadGuard, outcome: Outcome): WriteGuard {
    mark(guard, 'upgraded')
    return this.#writeGuard(outcome)
  }

  /** `guard.downgrade()`. */
  downgrade(guard: WriteGuard): ReadGuard {
    checkWrites(guard, this, this.describe())
    spend(guard)
    words.downgrade(this.#at, this.#ownRecord())
    return this.#readGuard('acquired')
  }

  /**
   * Awaits a read, runs `fn`, awaits what that gives, and ends the read, also when `fn` throws.
   *
   * It rejects as `read` does, and with an AbandonedError, without running `fn`, when a thread died while it
   * was writing and nobody has mended that.
   *
   * Inside `fn`, reading again goes in at once, and `write`, `runWriting` and `upgrade` throw a DeadlockError;
   * after an `await` too, except in browsers, which can't tell.
   */
  async runReading<R>(fn: () => R | PromiseLike<R>, options?: LockOptions): Promise<R> {
    // Before the first await of `fn`, whether it has one or not can't be known.
    trackAcrossAwait()
    const guard = await this.read(options)
    if (guard.abandoned) throw this.#abandonedRead()
    const run = {}
    this.#reading.add(run)
    try {
      return await runInFrame({ parent: currentFrame(), holds: run }, fn)
    } finally {
      this.#reading.delete(run)
      guard.release()
    }
  }

  /**
   * Reads, blocking, runs `fn`, and ends the read, also when `fn` throws.
   *
   * @throws AbandonedError as `runReading`, and what `readSync` throws.
   * @throws TypeError when `fn` gives a promise: the read would be over before its work is done.
   */
  runReadingSync<R>(fn: () => R, options?: BlockingOptions): R {
    if (this.#readNow(options?.timeout) === 'abandoned') throw this.#abandonedRead()
    try {
      return this.#settled(fn(), 'runReading')
    } finally {
      words.releaseRead(this.#at, this.#record)
    }
  }

  /**
   * Awaits a write, runs `fn`, awaits what that gives, and ends the write, also when `fn` throws.
   *
   * It rejects as `write` does, and with an AbandonedError, without running `fn`, when a thread died while it
   * was writing. It stays so for the next ones, until somebody writes with `write`, `writeSync` or
   * `tryWrite`, mends what is broken, and releases the guard.
   *
   * Inside `fn`, `read`, `write` and what is made of them throw a DeadlockError, after an `await` too, except
   * in browsers, which can't tell.
   */
  async runWriting<R>(fn: () => R | PromiseLike<R>, options?: LockOptions): Promise<R> {
    trackAcrossAwait()
    const guard = await this.write(options)
    if (guard.abandoned) throw this.#abandonedWrite()
    const run = {}
    const call = currentCall()
    let unmended = false
    this.#writing = run
    try {
      return await runInFrame({ parent: currentFrame(), holds: run }, fn)
    } catch (error) {
      unmended = isCutOff(error, call)
      throw error
    } finally {
      this.#writing = undefined
      if (unmended) abandon(guard)
      else guard.release()
    }
  }

  /**
   * Writes, blocking, runs `fn`, and ends the write, also when `fn` throws.
   *
   * @throws AbandonedError as `runWriting`, and what `writeSync` throws.
   * @throws TypeError when `fn` gives a promise: the write would be over before its work is done.
   */
  runWritingSync<R>(fn: () => R, options?: BlockingOptions): R {
    if (this.#writeNow(options?.timeout) === 'abandoned') throw this.#abandonedWrite()
    try {
      return this.#settled(fn(), 'runWriting')
    } finally {
      words.releaseWrite(this.#at)
    }
  }

  /** How many reads living threads hold. It may be otherwise by the time that you look at the answer. */
  get readers(): number {
    return words.readers(this.#at).reduce((sum, { count }) => sum + count, 0)
  }

  /** Whether some living thread writes. It may be otherwise by the time that you look at the answer. */
  isWriteLocked(): boolean {
    const writer = words.writerOf(this.#at)
    return writer !== 0 && isAlive(writer)
  }

  /** Whether some living thread reads or writes. It may be otherwise by the time that you look at the answer. */
  isLocked(): boolean {
    return this.isWriteLocked() || this.readers > 0
  }

  protected madeWith(): [PrimitiveOptions] {
    return [{ name: this.name }]
  }

  protected state(): string {
    const flag = words.isUnmended(this.#at) ? ', abandoned' : ''
    if (this.isWriteLocked()) return `written by "${threadName(words.writerOf(this.#at))}"${flag}`
    const readers = words.readers(this.#at)
    if (readers.length === 0) return `free${flag}`
    const each = readers.map(({ thread, count }) => `"${threadName(thread)}"${count > 1 ? ` ${count} times` : ''}`)
    return `read by ${each.join(', ')}${flag}`
  }

  #ownRecord(): number {
    this.#record ||= words.recordOf(this.#at)
    return this.#record
  }

  #readGuard(outcome: Outcome): ReadGuard {
    return new ReadGuard(this.#guarded, outcome === 'abandoned')
  }

  #writeGuard(outcome: Outcome): WriteGuard {
    return new WriteGuard(this.#guarded, outcome === 'abandoned')
  }

  #await(
    options: LockOptions | undefined,
    what: () => string,
    enqueue: (waiter: RwLockWaiter) => WaitNode,
  ): Promise<Outcome> {
    const timedOut = (timeout: number) => words.timedOut(this.#at, timeout, what())
    return awaitGrant<Outcome>({ ...options, enqueue, timedOut })
  }

  #settled<R>(result: R, method: string): R {
    if (isThenable(result)) {
      throw new TypeError(`${method}Sync of ${this.describe()} was given an async function: use ${method}.`)
    }
    return result
  }

  #readsInFrame(): boolean {
    for (const run of this.#reading) if (holdsOnPath(run)) return true
    return false
  }

  #refuseWriteInside(): void {
    this.#refuseInside(this.#writing, this.#writeAccess)
    for (const run of this.#reading) this.#refuseInside(run, this.#writeAccess)
  }

  #refuseInside(run: object | undefined, access: () => string): void {
    if (!run || !holdsOnPath(run)) return
    const [name, what] = [threadName(ownThreadId()), access()]
    const method = run === this.#writing ? 'runWriting' : 'runReading'
    throw new DeadlockError(
      `This code runs inside of ${method} of ${this.describe()}, so awaiting ${what} here would never end.`,
      { cycle: [`"${name}" waits for ${what}, held by "${name}"`] },
    )
  }

  #abandonedRead(): AbandonedError {
    words.releaseRead(this.#at, this.#record)
    return this.#abandoned()
  }

  #abandonedWrite(): AbandonedError {
    words.releaseWrite(this.#at, true)
    return this.#abandoned()
  }

  #abandoned(): AbandonedError {
    return new AbandonedError(
      `A thread died while it was writing by ${this.describe()}: what that guards may be half-changed. ` +
        'Write with write() or writeSync(), mend that, and release the guard.',
    )
  }
}

letCross(RwLock, 'rwlock', RWLOCK_BYTES)
synchronousOnly(RwLock, [
  ['tryRead', 'read({ timeout: 0 })'],
  ['readSync', 'read()'],
  ['tryWrite', 'write({ timeout: 0 })'],
  ['writeSync', 'write()'],
  ['tryUpgrade', 'upgrade(guard, { timeout: 0 })'],
  ['upgradeSync', 'upgrade(guard)'],
  ['runReadingSync', 'runReading(fn)', true],
  ['runWritingSync', 'runWriting(fn)', true],
])
