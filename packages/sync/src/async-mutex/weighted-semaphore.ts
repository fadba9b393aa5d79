/**
 * The semaphore of `async-mutex` over shared memory: weights, priorities, `waitForUnlock`, any number as its
 * value. Nobody blocks for it; all that happens, happens inside the guard of its address (`wait-queue.ts`).
 * Its 72 bytes are described in `ledger.ts` (the value, and who holds what) and `wait-lists.ts` (who waits);
 * the last word holds the number of deaths that have been seen to.
 *
 * The first asker is served when there is enough for it, and nobody before it. After each change of the
 * value, and after each asker that was served, the observers are told for which there is enough, and who
 * have a higher priority than the first asker.
 *
 * A thread may die at any point inside:
 * - what changes the value is carried out to its end by who comes next, from the journal;
 * - a record's state is the truth, not the list: who finds a record of his own that waits no longer, though
 *   its node was not granted (he looks, after a death), takes it out and goes on;
 * - what a dead thread held comes back when its death is seen, which is at the next entry. Accounts are
 *   settled first, then records dropped, then memory is freed, then all is served that can be, and then
 *   the deaths count as seen. So an account is never freed while somebody alive may be served from it.
 *
 * The rules of order are those of async-mutex 0.5.0 (https://github.com/DirtyHairy/async-mutex), except that
 * it tells no observer of a weight that differs from the value by a fraction.
 */
import type { ThreadId } from '@flatshare/core'
import type { WaitNode } from '../wait-queue.js'
import type { Waiting } from '../waiting.js'
import { getNumber, loadNumber, setNumber } from './float64.js'
import { makeLedger } from './ledger.js'
import {
  ACCOUNT,
  BEFORE,
  CANCELED,
  makeWaitLists,
  NEW,
  NODE,
  PRIORITY,
  RECORD_BYTES,
  SERVED,
  STATE,
  THREAD,
  WAITING,
  WEIGHT,
} from './wait-lists.js'

/** What a semaphore takes. */
export const SEMAPHORE_BYTES = 72

const DEATHS_SEEN = 68

const KIND = 10

/** Somebody who asks for a weight. */
export interface Asker {
  /** He has it; `before` is the value that there was. Must not throw. */
  served(before: number): void
  /** He won't get it. Must not throw. */
  canceled(): void
}

/** The semaphore's functions over a memory. */
export function makeWeightedSemaphore(waiting: Waiting) {
  const { queues } = waiting
  const { memory } = queues
  const lists = makeWaitLists(memory)
  const ledger = makeLedger(memory, lists)

  waiting.register(KIND, { serve })

  /** Makes a semaphore of bytes that are zero. */
  function make(address: number, value: number): void {
    waiting.enter(address)
    ledger.setValue(address, value)
    memory.set(address + DEATHS_SEEN, memory.deaths())
    waiting.leave()
  }

  /** Gives back the bytes of a semaphore that no other thread ever knew of, and for which nobody waits. */
  function unmake(address: number): void {
    ledger.forget(address)
    memory.free(address, SEMAPHORE_BYTES)
  }

  /** Takes the weight, if it is there and nobody comes first: gives the value before, else undefined. */
  function tryAcquire(address: number, weight: number, priority: number): number | undefined {
    ledger.prepare(address)
    enter(address)
    const before = take(address, weight, priority)
    waiting.leave()
    return before
  }

  /** Asks for a weight; who can be served at once is served before this returns. */
  function acquire(address: number, weight: number, priority: number, asker: Asker): void {
    ledger.prepare(address)
    const record = memory.allocate(RECORD_BYTES)
    enter(address)
    const before = take(address, weight, priority)
    if (before === undefined) enqueue(address, record, ledger.ownAccount(address), weight, priority, asker)
    else {
      waiting.leave()
      memory.free(record, RECORD_BYTES)
      asker.served(before)
    }
  }

  function take(address: number, weight: number, priority: number): number | undefined {
    const value = ledger.currentValue(address)
    if (!(weight <= value && lists.isFirst(address, priority))) return undefined
    ledger.take(address, weight)
    return value
  }

  /** Calls `told` when an asker of this weight and priority would be served; it must not throw. */
  function observe(address: number, weight: number, priority: number, told: () => void): void {
    const record = memory.allocate(RECORD_BYTES)
    enter(address)
    const first = lists.firstAsker(address)
    if (weight <= ledger.currentValue(address) && (first === 0 || lists.priorityOf(first) < priority)) {
      waiting.leave()
      memory.free(record, RECORD_BYTES)
      told()
    } else enqueue(address, record, 0, weight, priority, { served: told, canceled: told })
  }

  /** Inside the guard, which it leaves. An observer has no account. */
  function enqueue(
    address: number,
    record: number,
    account: number,
    weight: number,
    priority: number,
    asker: Asker,
  ): void {
    memory.set(record + STATE, NEW)
    memory.set(record + THREAD, memory.ownThreadId())
    memory.set(record + ACCOUNT, account)
    setNumber(memory, record + WEIGHT, weight)
    setNumber(memory, record + PRIORITY, priority)
    const waiter = {
      granted(state: number) {
        const before = loadNumber(memory, record + BEFORE)
        memory.free(record, RECORD_BYTES)
        if (state === CANCELED) asker.canceled()
        else asker.served(before)
      },
    }
    waiting.enqueue(address, { kind: KIND, asks: record }, waiter)
  }

  /** Gives a weight back, and serves whom it is enough for. */
  function release(address: number, weight: number): void {
    enter(address)
    ledger.giveBack(address, weight)
    dispatch(address)
    waiting.leave()
  }

  /** As `release`, unless something is left. */
  function releaseIfLocked(address: number, weight: number): void {
    enter(address)
    if (ledger.currentValue(address) <= 0) {
      ledger.giveBack(address, weight)
      dispatch(address)
    }
    waiting.leave()
  }

  function setValue(address: number, value: number): void {
    enter(address)
    ledger.setValue(address, value)
    dispatch(address)
    waiting.leave()
  }

  function currentValue(address: number): number {
    enter(address)
    const value = ledger.currentValue(address)
    waiting.leave()
    return value
  }

  /** Sends all askers away. Observers stay, and are not told. */
  function cancel(address: number): void {
    enter(address)
    for (let record = lists.firstAsker(address); record !== 0; record = lists.firstAsker(address)) {
      memory.set(record + STATE, CANCELED)
      lists.shift(address, record)
      queues.grant(memory.get(record + NODE), CANCELED)
    }
    waiting.leave()
  }

  /** The threads that hold something. */
  function holdersOf(address: number): ThreadId[] {
    enter(address)
    const holders = ledger.holdersOf(address)
    waiting.leave()
    return holders
  }

  /** Enters the guard; what the dead have left is put right. */
  function enter(address: number): void {
    waiting.enter(address)
    ledger.carryOut(address)
    const deaths = memory.deaths()
    if (deaths === memory.get(address + DEATHS_SEEN)) return
    bury(address)
    dispatch(address)
    memory.set(address + DEATHS_SEEN, deaths)
  }

  /** See `Kind.serve`. */
  function serve(address: number, self: WaitNode): void {
    ledger.carryOut(address)
    const record = self === 0 ? 0 : queues.asks(self)
    const state = record === 0 ? WAITING : memory.get(record + STATE)
    if (state > WAITING && !queues.isGranted(self)) {
      lists.remove(address, (other) => other === record)
      queues.grant(self, state)
    }
    const deaths = memory.deaths()
    const died = deaths !== memory.get(address + DEATHS_SEEN)
    if (died) bury(address)
    if (state === NEW) lists.putIn(address, record, self)
    if (!died) return
    // After it was put in, for it may be the one that is now to be served.
    dispatch(address)
    memory.set(address + DEATHS_SEEN, deaths)
  }

  /** Takes back what dead threads held, and drops those of their waiters. */
  function bury(address: number): void {
    const accounts = ledger.bury(address)
    lists.remove(address, (record) => !memory.isAlive(memory.get(record + THREAD)))
    for (let node = queues.first(address); node !== 0; ) {
      const next = queues.after(node)
      if (!queues.isLiving(node)) {
        const record = queues.asks(node)
        waiting.drop(node)
        memory.free(record, RECORD_BYTES)
      }
      node = next
    }
    for (const account of accounts) ledger.free(account)
    ledger.settleDebt(address)
  }

  /** Serves the askers that can be, and tells the observers before and after each. */
  function dispatch(address: number): void {
    tellObservers(address)
    for (;;) {
      const record = lists.firstAsker(address)
      if (record === 0 || !(getNumber(memory, record + WEIGHT) <= ledger.currentValue(address))) return
      const node = memory.get(record + NODE)
      ledger.serve(address, record)
      queues.grant(node, SERVED)
      tellObservers(address)
    }
  }

  function tellObservers(address: number): void {
    lists.takeObservers(address, ledger.currentValue(address), (record) =>
      queues.grant(memory.get(record + NODE), SERVED),
    )
  }

  return {
    make,
    unmake,
    tryAcquire,
    acquire,
    observe,
    release,
    releaseIfLocked,
    setValue,
    currentValue,
    cancel,
    holdersOf,
  }
}
