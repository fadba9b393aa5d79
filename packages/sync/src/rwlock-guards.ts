/** The guards of `RwLock`: what reads and writes are known by on their thread. */
import { FlatshareError } from '@flatshare/core'
import { synchronousOnly } from '@flatshare/core/internal'
import { guardText, keepOnItsThread, spentGuard } from './guard.js'
import type { BlockingOptions, LockOptions } from './mutex.js'
import type { RwLock } from './rwlock.js'

/** What guards need of their lock. */
export interface Guarded {
  readonly lock: RwLock
  describe(): string
  endRead(): void
  endWrite(unmended?: boolean): void
}

type ReadState = 'reads' | 'released' | 'upgrades' | 'upgraded'

let lockReadBy: (guard: ReadGuard) => RwLock
let lockWrittenBy: (guard: WriteGuard) => RwLock
let setState: (guard: ReadGuard, state: ReadState) => void
let spendWrite: (guard: WriteGuard) => void
let abandonWrite: (guard: WriteGuard) => void

/**
 * Stands for a read by an `RwLock`: release it, once, on the thread that took it.
 *
 * @example
 * using guard = await lock.read()
 */
export class ReadGuard implements Disposable {
  /** @internal */
  readonly toJSON = guardText
  // Not a `Guard`: a class of its own, with nothing inherited, is made in half the time.
  readonly #of: Guarded
  readonly #abandoned: boolean
  #state: ReadState = 'reads'

  /** @internal */
  constructor(of: Guarded, abandoned: boolean) {
    this.#of = of
    this.#abandoned = abandoned
  }

  /**
   * True when a thread died while it was writing, and nobody has mended that: what the lock guards may be
   * half-changed. To mend it, write.
   */
  get abandoned(): boolean {
    return this.#abandoned
  }

  /**
   * Ends the read.
   *
   * @throws FlatshareError when this guard has done so already, was upgraded, or is being upgraded.
   */
  release(): void {
    if (this.#state !== 'reads') throw this.#spent()
    // First, as there may be no stack left for it: then the guard is good for another try.
    this.#of.endRead()
    this.#state = 'released'
  }

  /** Ends the read, unless that was done already, or the guard upgraded. */
  [Symbol.dispose](): void {
    if (this.#state === 'reads' || this.#state === 'upgrades') this.release()
  }

  /**
   * Writes instead of reads, with no other writer in between: what was read still holds. Blocks while others
   * read, and new readers wait. This guard is spent then; where it throws, it still reads.
   *
   * @throws DeadlockError at once, when another guard waits to be upgraded already, as the two would wait for
   * each other, or when this thread reads by another guard too; and as `writeSync`, with a TimeoutError and
   * a CannotBlockError.
   * @throws FlatshareError when this guard is spent.
   * @example
   * using reading = lock.readSync()
   * if (!table.has(key)) {
   *   using writing = reading.upgradeSync()
   *   table.set(key, make(key))
   * }
   */
  upgradeSync(options?: BlockingOptions): WriteGuard {
    return this.#of.lock.upgradeSync(this, options)
  }

  /**
   * As `upgradeSync`, without blocking the thread: awaits that nobody else reads, nor this thread by other
   * guards. Until then this guard can't be used. Where the promise rejects, it still reads.
   *
   * It rejects with a DeadlockError when another guard waits to be upgraded already, and as that of `write`.
   */
  upgrade(options?: LockOptions): Promise<WriteGuard> {
    return this.#of.lock.upgrade(this, options)
  }

  /** Writes instead of reads if nobody else reads; else gives undefined, at once, and this guard still reads. */
  tryUpgrade(): WriteGuard | undefined {
    return this.#of.lock.tryUpgrade(this)
  }

  #spent(): FlatshareError {
    const what = this.#of.describe()
    if (this.#state === 'upgraded')
      return new FlatshareError(`This guard of ${what} was upgraded: use the write guard.`)
    if (this.#state === 'upgrades') {
      return new FlatshareError(`This guard of ${what} waits to be upgraded: await that first.`)
    }
    return spentGuard(what)
  }

  static {
    lockReadBy = (guard) => {
      if (guard.#state !== 'reads') throw guard.#spent()
      return guard.#of.lock
    }
    setState = (guard, state) => {
      guard.#state = state
    }
    // Who only reads leaves nothing half-changed.
    keepOnItsThread(ReadGuard, {
      describe: (guard) => guard.#of.describe(),
      abandon: (guard) => guard[Symbol.dispose](),
    })
    synchronousOnly(ReadGuard, [
      ['tryUpgrade', 'upgrade({ timeout: 0 })'],
      ['upgradeSync', 'upgrade()'],
    ])
  }
}

/**
 * Stands for writing by an `RwLock`: release it, once, on the thread that took it.
 *
 * @example
 * using guard = await lock.write()
 */
export class WriteGuard implements Disposable {
  /** @internal */
  readonly toJSON = guardText
  readonly #of: Guarded
  readonly #abandoned: boolean
  #held = true

  /** @internal */
  constructor(of: Guarded, abandoned: boolean) {
    this.#of = of
    this.#abandoned = abandoned
  }

  /**
   * True when a thread died while it was writing, and nobody has mended that: what the lock guards may be
   * half-changed. Mend it; `release`, or `downgrade`, then says that it is whole.
   */
  get abandoned(): boolean {
    return this.#abandoned
  }

  /**
   * Ends the write.
   *
   * @throws FlatshareError when this guard has done so already, or was downgraded.
   */
  release(): void {
    if (!this.#held) throw spentGuard(this.#of.describe())
    this.#of.endWrite()
    this.#held = false
  }

  /** Ends the write, unless this guard has done so already. */
  [Symbol.dispose](): void {
    if (this.#held) this.release()
  }

  /**
   * Reads instead of writes, at once and with no writer in between: what was written still holds. Readers
   * that wait come in too. This guard is spent then.
   *
   * @throws FlatshareError when this guard is spent.
   */
  downgrade(): ReadGuard {
    return this.#of.lock.downgrade(this)
  }

  static {
    lockWrittenBy = (guard) => {
      if (!guard.#held) throw spentGuard(guard.#of.describe())
      return guard.#of.lock
    }
    spendWrite = (guard) => {
      guard.#held = false
    }
    abandonWrite = (guard) => {
      if (!guard.#held) return
      guard.#of.endWrite(true)
      guard.#held = false
    }
    keepOnItsThread(WriteGuard, { describe: (guard) => guard.#of.describe(), abandon: abandonWrite })
  }
}

/** @throws TypeError or FlatshareError unless the guard reads by this lock. `what` names both in errors. */
export function checkReads(guard: ReadGuard, lock: RwLock, what: string): void {
  if (!(guard instanceof ReadGuard)) throw new TypeError(`Only a guard that reads by ${what} can be upgraded.`)
  if (lockReadBy(guard) !== lock) throw foreign(what)
}

/** @throws TypeError or FlatshareError unless the guard writes by this lock. */
export function checkWrites(guard: WriteGuard, lock: RwLock, what: string): void {
  if (!(guard instanceof WriteGuard)) throw new TypeError(`Only a guard that writes by ${what} can be downgraded.`)
  if (lockWrittenBy(guard) !== lock) throw foreign(what)
}

function foreign(what: string): FlatshareError {
  return new FlatshareError(`This is a guard of another lock than ${what}.`)
}

/** Says what has become of a guard. Only with 'reads' does it stand for a read. */
export function mark(guard: ReadGuard, state: ReadState): void {
  setState(guard, state)
}

/** Ends the write of one who has died amidst it: the guards that follow say so. */
export function abandon(guard: WriteGuard): void {
  abandonWrite(guard)
}

/** From now on the guard stands for nothing. */
export function spend(guard: WriteGuard): void {
  spendWrite(guard)
}
