import { parentPort } from 'node:worker_threads'
import { FreeThreaded, locked, nonBlocking } from '@flatshare/free-threaded'
import { Account, type AllTypes } from '../classes.js'
import { type Jobs, serveJobs } from './jobs.js'

// The main thread has another edition of it.
FreeThreaded({ name: 'Edition', shared: { same: 'i32', year: 'i32' } })(class {})

const turn = () => new Promise((resolve) => setImmediate(resolve))

const jobs = {
  deposit(account: Account, times: number) {
    for (let i = 0; i < times; i++) account.deposit(1)
  },
  write(account: Account, times: number) {
    for (let i = 0; i < times; i++) account.balance = i
  },
  async mixed(account: Account, times: number) {
    for (let i = 0; i < times; i++) {
      if (i % 3 === 0) account.deposit(1)
      else if (i % 3 === 1) await account.depositAfter(1, turn())
      else await nonBlocking(account).deposit(1)
    }
  },
  copy(all: AllTypes, values: Record<string, unknown>) {
    const seen = all as unknown as Record<string, unknown>
    const before = Object.fromEntries(Object.keys(values).map((key) => [key, seen[key]]))
    Object.assign(seen, values)
    return before
  },
  /** Says that it is inside, then waits there until `gate` is opened. */
  hold(account: Account, gate: Int32Array) {
    account.depositAround(1, () => {
      parentPort!.postMessage({ inside: true })
      Atomics.wait(gate, 0, 0)
    })
  },
  dieInside(account: Account) {
    account.depositAround(1, () => process.exit(3))
  },
  async dieAwaiting(account: Account) {
    await account.depositAfter(
      1,
      turn().then(() => process.exit(3)),
    )
  },
  block(account: Account) {
    return account.deposit(1)
  },
  /** Holds one, says so, waits until the other is held as well, then wants that. */
  cross({ ours, theirs, cell }: { ours: Account; theirs: Account; cell: Int32Array }) {
    return locked(theirs, () => {
      Atomics.store(cell, 0, 1)
      Atomics.notify(cell, 0)
      Atomics.wait(cell, 0, 1)
      try {
        ours.deposit(1)
        return 'deposited'
      } catch (error) {
        return String(error)
      }
    })
  },
  isInstance: (account: Account) => account instanceof Account,
} satisfies Jobs

serveJobs(jobs)
