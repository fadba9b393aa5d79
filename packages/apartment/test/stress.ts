/** Threads that call one another, hand references on, and die at any moment: every promise settles, once and rightly. */

import { type Apartment, callWith, type Remote, release } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { expect } from 'vitest'
import type { Store } from './apartments.js'
import { type Opener, storeOpener } from './contract/opener.js'
import type { Account, Relay } from './threads/store.js'

/** A repeatable source of choices. */
function choices(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % below
  }
}

/** Deposits from here, through relays and through callbacks; the sum is exact. */
export async function nothingIsLost(open: Opener, seed: number, calls: number): Promise<void> {
  const openStore = storeOpener(open)
  const next = choices(seed)
  const apartments = await Promise.all([openStore(), openStore(), openStore()])
  const accounts = await Promise.all(apartments.map((apartment) => apartment.create('Account', 0)))
  const relays = await Promise.all(apartments.map((apartment) => apartment.create('Relay')))
  const expected = accounts.map(() => 0)
  const pending: Array<Promise<unknown>> = []
  for (let i = 0; i < calls; i++) {
    const index = next(3)
    const account = accounts[index]!
    const relay = relays[(index + 1 + next(2)) % 3]!
    expected[index]!++
    const way = next(4)
    if (way === 0) pending.push(account.deposit(1))
    else if (way === 1) pending.push(account.slowDeposit(1))
    else if (way === 2) pending.push(relay.forward(account, 1))
    else pending.push(relay.callBack(() => account.deposit(1)))
    if (pending.length % 100 === 0) await pending[pending.length - 1]
  }
  await Promise.all(pending)
  expect(await Promise.all(accounts.map((account) => account.balance))).toEqual(expected)
  await Promise.all(apartments.map((apartment) => apartment.close()))
}

/** A thread ends at some moment among calls in all directions: all of them settle. */
export async function everythingSettles(open: Opener, seed: number, rounds: number): Promise<void> {
  const openStore = storeOpener(open)
  const next = choices(seed)
  const lasting = await openStore({ name: 'lasting' })
  for (let round = 0; round < rounds; round++) {
    const doomed: Apartment<Store> = await openStore({ name: 'doomed' })
    const [account, relay, far]: [Remote<Account>, Remote<Relay>, Remote<Relay>] = await Promise.all([
      doomed.create('Account', 0),
      doomed.create('Relay'),
      lasting.create('Relay'),
    ])
    const die = next(60)
    const pending: Array<Promise<unknown>> = []
    const note = (...calls: Array<Promise<unknown>>) => {
      for (const call of calls) call.catch(() => {}) // looked at below
      pending.push(...calls)
    }
    for (let i = 0; i < 60; i++) {
      if (i === die) note(next(2) ? doomed.terminate() : doomed.close({ timeout: next(5) }))
      const way = next(6)
      if (way === 0) note(account.slowDeposit(1))
      else if (way === 1) note(far.forward(account, 1))
      else if (way === 2) note(relay.callBack(() => account.deposit(1)))
      else if (way === 3) note(far.callBack(() => relay.note('x')))
      else if (way === 4) note(far.hold(account), far.held())
      else note(callWith(account, { timeout: next(10) }).slowDeposit(1))
      if (next(4) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    for (const outcome of await Promise.allSettled(pending)) {
      if (outcome.status === 'fulfilled' || outcome.reason?.name === 'TimeoutError') continue
      expect(outcome.reason).toBeInstanceOf(DisconnectedError)
    }
    release(far)
    await doomed.close()
  }
  await lasting.close()
}
