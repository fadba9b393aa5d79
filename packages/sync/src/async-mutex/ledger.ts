/**
 * The value of a semaphore of `async-mutex`, and which thread holds what. All of it is used inside the
 * semaphore's guard.
 *
 *   semaphore  +0 journal: whether it is to be carried out   +4 its record   +8 its account
 *              +12 its value   +20 what the account then holds   +28 what is then owed
 *              +36 value   +44 owed   +64 first account
 *
 *   account    +0 thread   +4 what it holds   +12 next: one for each thread that ever took something
 *
 * A change of the value, with what it does to an account and to the asker that is served by it, is written
 * into the journal first. What stands there is carried out, by who comes next if its writer died: storing
 * the same twice is harmless, and nobody else changes these words while the guard is held.
 *
 * Who gives back more than his thread holds gives it back for others: it is *owed*, until it has been
 * taken from the accounts of those that hold something. What then remains was never held by anybody.
 */
import type { ThreadId } from '@flatshare/core'
import type { SyncMemory } from '../sync-memory.js'
import { getNumber, setNumber } from './float64.js'
import { ACCOUNT, BEFORE, RECORD_BYTES, SERVED, STATE, type WaitLists, WEIGHT } from './wait-lists.js'

const JOURNAL = 0
const JOURNAL_RECORD = 4
const JOURNAL_ACCOUNT = 8
const JOURNAL_VALUE = 12
const JOURNAL_HELD = 20
const JOURNAL_OWED = 28
const VALUE = 36
const OWED = 44
const ACCOUNTS = 64

/** As large as a record, so that their memory may be used in turns. */
const ACCOUNT_BYTES = 48
const HOLDER = 0
const HELD = 4
const NEXT_ACCOUNT = 12

/** The ledger over a memory. */
export function makeLedger(memory: SyncMemory, lists: WaitLists) {
  /** This thread's accounts, by semaphore. */
  const own = new Map<number, number>()

  function currentValue(address: number): number {
    return getNumber(memory, address + VALUE)
  }

  /** Has an account ready for this thread; outside of the guard, since there may be no memory for it. */
  function prepare(address: number): void {
    if (!own.has(address)) own.set(address, memory.allocate(ACCOUNT_BYTES))
  }

  /** This thread's account, which was prepared. */
  function ownAccount(address: number): number {
    const account = own.get(address)!
    if (memory.get(account + HOLDER) === 0) {
      memory.set(account + HOLDER, memory.ownThreadId())
      memory.set(account + NEXT_ACCOUNT, memory.get(address + ACCOUNTS))
      memory.set(address + ACCOUNTS, account)
    }
    return account
  }

  /** Takes the weight for this thread. */
  function take(address: number, weight: number): void {
    const account = ownAccount(address)
    commit(address, 0, account, currentValue(address) - weight, heldOf(account) + weight, owedOf(address))
  }

  /** Takes its weight for an asker. */
  function serve(address: number, record: number): void {
    const value = currentValue(address)
    const weight = getNumber(memory, record + WEIGHT)
    const account = reached(memory.get(record + ACCOUNT))
    setNumber(memory, record + BEFORE, value)
    commit(address, record, account, value - weight, heldOf(account) + weight, owedOf(address))
  }

  /** From what this thread holds; what it doesn't hold, others are taken to have held. */
  function giveBack(address: number, weight: number): void {
    const account = own.get(address) ?? 0
    const held = account === 0 ? 0 : heldOf(account)
    const owed = owedOf(address) + (weight > held ? weight - held : 0)
    commit(address, 0, account, currentValue(address) + weight, weight <= held ? held - weight : 0, owed)
    settleDebt(address)
  }

  /** Takes what is owed from whoever holds something. */
  function settleDebt(address: number): void {
    let owed = owedOf(address)
    if (!(owed > 0)) return
    const value = currentValue(address)
    for (let account = firstAccount(address); account !== 0 && owed > 0; account = nextAccount(account)) {
      const held = heldOf(account)
      if (!(held > 0)) continue
      const paid = Math.min(held, owed)
      owed -= paid
      commit(address, 0, account, value, held - paid, owed)
    }
    if (owed > 0) commit(address, 0, 0, value, 0, 0)
  }

  function setValue(address: number, value: number): void {
    commit(address, 0, 0, value, 0, owedOf(address))
  }

  /** Takes back what dead threads held. Gives their accounts, which are to be freed. */
  function bury(address: number): number[] {
    const dead: number[] = []
    let previous = address + ACCOUNTS
    for (let account = firstAccount(address); account !== 0; account = reached(memory.get(previous))) {
      if (memory.isAlive(memory.get(account + HOLDER))) {
        previous = account + NEXT_ACCOUNT
        continue
      }
      commit(address, 0, account, currentValue(address) + heldOf(account), 0, owedOf(address))
      memory.set(previous, memory.get(account + NEXT_ACCOUNT))
      dead.push(account)
    }
    return dead
  }

  function free(account: number): void {
    memory.free(account, ACCOUNT_BYTES)
  }

  /** Forgets a semaphore that no other thread ever knew of. */
  function forget(address: number): void {
    const account = own.get(address)
    if (account !== undefined) free(account)
    own.delete(address)
  }

  /** The threads that hold something. */
  function holdersOf(address: number): ThreadId[] {
    const holders: ThreadId[] = []
    for (let account = firstAccount(address); account !== 0; account = nextAccount(account)) {
      if (heldOf(account) > 0) holders.push(memory.get(account + HOLDER))
    }
    return holders
  }

  /** Changes the value, what an account holds (or none), and what is owed; serves a record (or none): all or nothing. */
  function commit(address: number, record: number, account: number, value: number, held: number, owed: number): void {
    memory.set(address + JOURNAL_RECORD, record)
    memory.set(address + JOURNAL_ACCOUNT, account)
    setNumber(memory, address + JOURNAL_VALUE, value)
    setNumber(memory, address + JOURNAL_HELD, held)
    setNumber(memory, address + JOURNAL_OWED, owed)
    memory.set(address + JOURNAL, 1)
    carryOut(address)
  }

  /** Carries out what stands in the journal, if anything does. */
  function carryOut(address: number): void {
    if (memory.get(address + JOURNAL) === 0) return
    const record = memory.get(address + JOURNAL_RECORD)
    const account = reached(memory.get(address + JOURNAL_ACCOUNT))
    setNumber(memory, address + VALUE, getNumber(memory, address + JOURNAL_VALUE))
    setNumber(memory, address + OWED, getNumber(memory, address + JOURNAL_OWED))
    if (account !== 0) setNumber(memory, account + HELD, getNumber(memory, address + JOURNAL_HELD))
    if (record !== 0) {
      memory.reach(record + RECORD_BYTES)
      memory.set(record + STATE, SERVED)
      lists.shift(address, record)
    }
    memory.set(address + JOURNAL, 0)
  }

  function heldOf(account: number): number {
    return getNumber(memory, account + HELD)
  }

  function owedOf(address: number): number {
    return getNumber(memory, address + OWED)
  }

  function firstAccount(address: number): number {
    return reached(memory.get(address + ACCOUNTS))
  }

  function nextAccount(account: number): number {
    return reached(memory.get(account + NEXT_ACCOUNT))
  }

  function reached(account: number): number {
    if (account !== 0) memory.reach(account + ACCOUNT_BYTES)
    return account
  }

  return {
    currentValue,
    prepare,
    ownAccount,
    take,
    serve,
    giveBack,
    settleDebt,
    setValue,
    bury,
    free,
    forget,
    holdersOf,
    carryOut,
  }
}
