/** What the threads of `rwlock.scenarios.ts` do. */
import { DeadlockError } from '@flatshare/core'
import type { Outcome } from '../../dist/lock.js'
import { makeRwLock } from '../../dist/rwlock-core.js'
import { FIRST_LOCK, SECOND_LOCK } from './explore.js'
import type { Words } from './initial-words.js'
import type { ThreadContext } from './model.js'

type RwLock = ReturnType<typeof makeRwLock>

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeRwLock }

const L = FIRST_LOCK
/** There is no cache to share lines of in a model. */
const LINE = 16
const what = () => 'access'

/** Where each thread's record is, if they are there from the beginning. */
const RECORDS = [32, 64, 80] as const
const [FIRST, SECOND, THIRD] = RECORDS
export const recordsMade: Words = {
  [L + 4]: FIRST,
  [FIRST]: 1,
  [FIRST + 8]: SECOND,
  [SECOND]: 2,
  [SECOND + 8]: THIRD,
  [THIRD]: 3,
}

/** A thread's side of the lock: what it does is counted, for the invariant. */
export class Side {
  readonly #lock: RwLock
  #known = 0

  /** `isFirst`: it makes its record itself. */
  constructor(
    readonly context: ThreadContext,
    isFirst: boolean,
  ) {
    this.#lock = subject.makeRwLock(context.waiting, LINE)
    if (!isFirst) this.#known = RECORDS[context.waiting.queues.memory.ownThreadId() - 1]!
  }

  /** As a handle does, it looks for its record once. */
  get #record(): number {
    return (this.#known ||= this.#lock.recordOf(L))
  }

  #reading(outcome: Outcome, body?: () => void): void {
    this.context.count('reading', 1)
    if (outcome === 'abandoned') this.context.count('readers told', 1)
    body?.()
    this.context.count('reading', -1)
  }

  #writing(outcome: Outcome, body?: () => void): void {
    this.context.count('writing', 1)
    this.context.inside(L, outcome, body)
    this.context.count('writing', -1)
  }

  /** What the wait ended with, or undefined after a timeout; counted as `refused` after a deadlock. */
  #waited<R>(wait: () => R): R | undefined {
    try {
      return wait()
    } catch (error) {
      if (error instanceof DeadlockError) this.context.count('refused', 1)
      else if (!(error instanceof DOMException)) throw error
      return undefined
    }
  }

  read(timeout?: number, body?: () => void): void {
    const outcome = this.#waited(() => this.#lock.readSync(L, this.#record, what, timeout))
    if (!outcome) return
    this.#reading(outcome, body)
    this.#lock.releaseRead(L, this.#record)
  }

  write(timeout?: number, body?: () => void): void {
    const outcome = this.#waited(() => this.#lock.writeSync(L, what, timeout))
    if (!outcome) return
    this.#writing(outcome, body)
    this.#lock.releaseWrite(L)
  }

  /** Passes an abandoned lock on as it is. */
  writeWithoutMending(): void {
    const outcome = this.#lock.writeSync(L, what)
    if (outcome === 'abandoned') {
      this.#lock.releaseWrite(L, true)
      return
    }
    this.#writing(outcome)
    this.#lock.releaseWrite(L)
  }

  tryRead(): void {
    const outcome = this.#lock.tryRead(L, this.#record)
    if (outcome === 'held') return
    this.#reading(outcome)
    this.#lock.releaseRead(L, this.#record)
  }

  tryWrite(): void {
    const outcome = this.#lock.tryWrite(L)
    if (outcome === 'held') return
    this.#writing(outcome)
    this.#lock.releaseWrite(L)
  }

  /** Reads, and writes instead; with a timeout only the upgrade waits, as a thread's clock has one moment. */
  readAndUpgrade(timeout?: number): void {
    const outcome =
      timeout === undefined ? this.#lock.readSync(L, this.#record, what) : this.#lock.tryRead(L, this.#record)
    if (outcome === 'held') return
    this.#reading(outcome)
    const written = this.#waited(() => this.#lock.upgradeSync(L, this.#record, what, timeout))
    this.#endUpgrade(written)
  }

  readAndTryToUpgrade(): void {
    this.#reading(this.#lock.readSync(L, this.#record, what))
    const written = this.#lock.tryUpgrade(L, this.#record)
    this.#endUpgrade(written === 'held' ? undefined : written)
  }

  #endUpgrade(written: Outcome | undefined): void {
    if (written) {
      this.#writing(written)
      this.#lock.releaseWrite(L)
    } else {
      this.#reading('acquired')
      this.#lock.releaseRead(L, this.#record)
    }
  }

  writeAndDowngrade(): void {
    const outcome = this.#lock.writeSync(L, what)
    this.#writing(outcome)
    // No writer may come in between.
    this.context.count('keeps writers out', 1)
    this.#lock.downgrade(L, this.#record)
    this.#reading('acquired')
    this.context.count('keeps writers out', -1)
    this.#lock.releaseRead(L, this.#record)
  }

  awaitRead(end: (release: () => void) => void = (release) => release()): Awaiting {
    const record = this.#record
    return this.#await(
      (waiter) => this.#lock.enqueueRead(L, record, waiter),
      (outcome) => {
        this.#reading(outcome)
        end(() => this.#lock.releaseRead(L, record))
      },
    )
  }

  awaitWrite(end: (release: () => void) => void = (release) => release()): Awaiting {
    return this.#await(
      (waiter) => this.#lock.enqueueWrite(L, waiter),
      (outcome) => {
        this.#writing(outcome)
        end(() => this.#lock.releaseWrite(L))
      },
    )
  }

  readAndAwaitUpgrade(mayGiveUp = false): void {
    const record = this.#record
    this.#reading(this.#lock.readSync(L, record, what))
    const awaiting = this.#waited(() =>
      this.#await(
        (waiter) => this.#lock.enqueueUpgrade(L, record, waiter, what),
        (outcome) => this.#endUpgrade(outcome),
      ),
    )
    if (!awaiting) this.#endUpgrade(undefined)
    else if (mayGiveUp) this.context.maybe(() => awaiting.giveUp() && this.#endUpgrade(undefined))
  }

  #await(enqueue: (waiter: { granted(outcome: Outcome): void }) => number, then: (outcome: Outcome) => void): Awaiting {
    const { waits, soon, waiting } = this.context
    let served = false
    waits(1)
    let node = 0
    try {
      node = enqueue({
        granted(outcome) {
          served = true
          waits(-1)
          soon(() => then(outcome))
        },
      })
    } catch (error) {
      if (error instanceof DeadlockError) waits(-1)
      throw error
    }
    return {
      served: () => served,
      giveUp() {
        if (served || !waiting.withdraw(node)) return false
        waits(-1)
        return true
      },
    }
  }

  /** With a plain lock in hand, reads and queues for writing; gives that lock back when it has written. */
  lockedUntilWritten(): void {
    const { lock, inside } = this.context
    inside(SECOND_LOCK, lock.acquireSync(SECOND_LOCK))
    this.read(undefined, () => {
      this.awaitWrite((release) => {
        release()
        lock.release(SECOND_LOCK)
      })
    })
  }

  /** Inside of a plain lock. */
  locked(body: () => void): void {
    const { lock, inside } = this.context
    let outcome: Outcome
    try {
      outcome = lock.acquireSync(SECOND_LOCK)
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error
      this.context.count('refused', 1)
      return
    }
    inside(SECOND_LOCK, outcome, body)
    lock.release(SECOND_LOCK)
  }
}

/** An asynchronous wait. */
export interface Awaiting {
  served(): boolean
  giveUp(): boolean
}
