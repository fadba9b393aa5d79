/** The module of the page's worker. */

import { ApartmentThreaded, serve } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'
import { locks, type Mutex } from '@flatshare/sync'
import type { Account } from './account.js'
import './account.js'
import { Tower } from './bell.js'
import { workInLibrary } from './library.js'
import type { Meeting } from './meeting.js'
import { PostOffice } from './post.js'

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

/** Meets the page at one primitive after the other: it blocks where the page awaits. */
async function meet({ mutex, condition, rwlock, semaphore, signal, barrier, latch, once, cells }: Meeting) {
  {
    using guard = mutex.lockSync()
    signal.set()
    condition.waitSync(guard, () => cells[0] === 1)
    cells[0] = 2
  }
  condition.notifyAll()
  {
    using _write = rwlock.writeSync()
    cells[1]!++
  }
  semaphore.acquireSync(2, { timeout: 20_000 }).release()
  const { generation } = barrier.waitSync()
  latch.countDown()
  const name = await locks.request('ledger', ({ name }) => name)
  return { generation, name, result: once.runSync(() => 'the worker') }
}

const bank = { Counter, PostOffice, Tower, earn, seize, meet, workInLibrary }

export type Bank = typeof bank

serve(bank)
