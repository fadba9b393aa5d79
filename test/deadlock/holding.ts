/** A thread that holds locks while it blocks on other threads. */
import { ApartmentThreaded, blocking, type Remote } from '@flatshare/apartment'
import { FreeThreaded, Shared } from '@flatshare/free-threaded'
import type { Mutex } from '@flatshare/sync'

@FreeThreaded()
export class Ledger {
  @Shared('i32') entries = 0

  enter(): number {
    return ++this.entries
  }

  /** Runs code while the ledger's own lock is held. */
  enterWith(work: () => string): string {
    this.entries++
    return work()
  }
}

@ApartmentThreaded()
export class Holder {
  touch(): string {
    return 'touched'
  }

  /** Blocks on what a third thread does. */
  pass(next: Remote<Holder>): string {
    return blocking(next).touch()
  }

  holdAndCall(lock: Mutex, arrivals: Int32Array, other: Remote<Holder>): string {
    return lock.runExclusiveSync(() => meetAnd(arrivals, () => blocking(other).touch()))
  }

  call(arrivals: Int32Array, other: Remote<Holder>): string {
    return meetAnd(arrivals, () => blocking(other).touch())
  }

  lock(lock: Mutex, arrivals: Int32Array): string {
    return meetAnd(arrivals, () => lock.runExclusiveSync(() => 'locked'))
  }

  enterAndCall(ledger: Ledger, arrivals: Int32Array, other: Remote<Holder>): string {
    return ledger.enterWith(() => meetAnd(arrivals, () => blocking(other).touch()))
  }

  enter(ledger: Ledger, arrivals: Int32Array): string {
    return meetAnd(arrivals, () => `entered as ${ledger.enter()}`)
  }

  holdAndCallBack(lock: Mutex, callback: () => string): string {
    return lock.runExclusiveSync(() => (blocking(callback as never) as () => string)())
  }

  /** Awaits what the callback gives. */
  async callBack(callback: () => unknown): Promise<unknown> {
    return await callback()
  }

  /** Answers, and blocks on the lock before its event loop turns. */
  answerThenLock(lock: Mutex, arrivals: Int32Array): string {
    queueMicrotask(() => lock.runExclusiveSync(() => Atomics.add(arrivals, 0, 1)))
    return 'answered'
  }
}

/** Waits for as many threads as the second word says, so that each has begun, and says what became of the work. */
function meetAnd(arrivals: Int32Array, work: () => string): string {
  Atomics.add(arrivals, 0, 1)
  Atomics.notify(arrivals, 0)
  for (let count = Atomics.load(arrivals, 0); count < arrivals[1]!; count = Atomics.load(arrivals, 0)) {
    Atomics.wait(arrivals, 0, count)
  }
  try {
    return work()
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}
