// What a method of a free-threaded object costs on one thread, uncontended: one class, as in a program with few of them.
import { marshal } from '@flatshare/core'
import { FreeThreaded, Shared } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { depositByHand } from './deposit-by-hand.js'
import { keep, timed } from './timed.js'

@FreeThreaded()
class Account {
  @Shared('f64') balance = 0
  @Shared('i32') calls = 0
  @Shared('bool') isOpen = true

  deposit(amount: number): void {
    this.balance += amount
  }

  ping(): void {}
}

class Plain {
  balance = 0
  calls = 0
  isOpen = true

  deposit(amount: number): void {
    this.balance += amount
  }
}

const TIMES = 1_000_000

const account = new Account()
const plain = new Plain()
const seen = new Account()
// From here on others may look at any time.
marshal(seen)[0][Symbol.dispose]()

export default {
  title: 'A method of a free-threaded object: one thread, uncontended',
  rows: [
    {
      name: 'a lock and an add by hand, with Atomics',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) depositByHand(1)
        }),
    },
    {
      name: 'a plain method (deposit)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) plain.deposit(1)
          keep(plain.balance)
        }),
    },
    {
      name: 'a locked method (deposit)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) account.deposit(1)
        }),
    },
    {
      name: 'a locked method that does nothing',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) account.ping()
        }),
    },
    {
      name: 'a locked method (deposit) of an object that has crossed',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) seen.deposit(1)
        }),
    },
  ],
} satisfies Benchmark
