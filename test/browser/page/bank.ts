/** The module of the page's worker. */

import { ApartmentThreaded, serve } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'
import type { Mutex } from '@flatshare/sync'
import '@flatshare/sync'
import type { Account } from './account.js'
import './account.js'

@ApartmentThreaded()
class Counter {
  #count = 0

  add(amount: number): number {
    this.#count += amount
    return this.#count
  }

  hang(): Promise<never> {
    return new Promise(() => {})
  }
}

async function earn(account: Account, times: number, told: (times: number) => void | Promise<void>): Promise<number> {
  for (let i = 0; i < times; i++) account.deposit(1)
  await told(times)
  return account.balance
}

/** Holds the lock for good: its thread is terminated with it. */
function seize(mutex: Mutex): boolean {
  mutex.lockSync()
  return currentThread.canBlock
}

export type Bank = { Counter: typeof Counter; earn: typeof earn; seize: typeof seize }

serve({ Counter, earn, seize })
