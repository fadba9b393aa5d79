// What a free-threaded object costs on one thread, uncontended.
import { marshal } from '@flatshare/core'
import { FreeThreaded, Reads, Shared, snapshot } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'

@FreeThreaded()
class Account {
  @Shared('f64') balance = 0
  @Shared('i32') calls = 0
  @Shared('bool') isOpen = true

  deposit(amount: number): void {
    this.balance += amount
  }

  ping(): void {}

  depositAll(times: number): void {
    for (let i = 0; i < times; i++) this.deposit(1)
  }

  addAll(times: number): void {
    for (let i = 0; i < times; i++) this.balance += 1
  }
}

@FreeThreaded()
class Position {
  @Shared('f64') x = 1
  @Shared('f64') y = 2

  @Reads() sum(): number {
    return this.x + this.y
  }

  @Reads({ optimistic: true }) sumOptimistically(): number {
    return this.x + this.y
  }
}

/** Classes of which one call site sees objects. */
function otherClass(name: string): { deposit(amount: number): void } {
  class Other {
    balance = 0
    deposit(amount: number): void {
      this.balance += amount
    }
  }
  FreeThreaded({ name, shared: { balance: 'f64' } })(Other)
  return new Other()
}

class Plain {
  balance = 0
  calls = 0
  isOpen = true

  deposit(amount: number): void {
    this.balance += amount
  }
}

const view = new Int32Array(new SharedArrayBuffer(64))
const doubles = new Float64Array(view.buffer)

/** What a careful author writes by hand: a lock word with its owner's id, and a view. */
function depositByHand(amount: number): void {
  if (Atomics.compareExchange(view, 0, 0, 1) !== 0) throw new Error('contended')
  try {
    doubles[2]! += amount
  } finally {
    if (Atomics.exchange(view, 0, 0) !== 1) Atomics.notify(view, 0, 1)
  }
}

const TIMES = 200_000
let sink: unknown

/** Nanoseconds for one of `TIMES` runs of a loop's body. */
function measure(loop: (times: number) => void, times = TIMES): Promise<number> {
  const start = performance.now()
  loop(times)
  return Promise.resolve(((performance.now() - start) * 1e6) / times)
}

const account = new Account()
const plain = new Plain()
const seen = new Account()
const point = new Position()
// From here on others may look at any time.
for (const object of [seen, point]) marshal(object)[0][Symbol.dispose]()
const others = ['One', 'Two', 'Three', 'Four', 'Five', 'Six'].map(otherClass)

export default {
  title: 'Free-threaded objects: one thread, uncontended',
  rows: [
    {
      name: 'a lock and an add by hand, with Atomics',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) depositByHand(1)
        }),
    },
    {
      name: 'a plain method (deposit)',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) plain.deposit(1)
          sink = plain.balance
        }),
    },
    {
      name: 'a locked method (deposit)',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) account.deposit(1)
        }),
    },
    {
      name: 'a locked method that does nothing',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) account.ping()
        }),
    },
    {
      name: 'a locked method (deposit) of an object that has crossed',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) seen.deposit(1)
        }),
    },
    {
      name: 'locked methods (deposit) of six classes in turns',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) others[i % 6]!.deposit(1)
        }),
    },
    {
      name: 'a method that reads two fields: @Reads()',
      run: () =>
        measure((times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += point.sum()
          sink = sum
        }),
    },
    {
      name: 'a method that reads two fields: @Reads({ optimistic: true })',
      run: () =>
        measure((times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += point.sumOptimistically()
          sink = sum
        }),
    },
    {
      name: 'a snapshot of two fields',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) sink = snapshot(point)
        }, 20_000),
    },
    {
      name: 'an element of a typed array, += 1',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) doubles[3]! += 1
        }),
    },
    { name: 'a field inside a method, += 1', run: () => measure((times) => account.addAll(times)) },
    { name: 'a locked method called from inside', run: () => measure((times) => account.depositAll(times)) },
    {
      name: 'a field read from outside (f64)',
      run: () =>
        measure((times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += account.balance
          sink = sum
        }),
    },
    {
      name: 'a field read from outside (i32)',
      run: () =>
        measure((times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += account.calls
          sink = sum
        }),
    },
    {
      name: 'a field written from outside (f64)',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) account.balance = i
        }),
    },
    {
      name: 'making a plain object, and a first call',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) {
            const made = new Plain()
            made.deposit(1)
            sink = made
          }
        }, 20_000),
    },
    {
      name: 'making a free-threaded object, and a first call',
      run: () =>
        measure((times) => {
          for (let i = 0; i < times; i++) {
            const made = new Account()
            made.deposit(1)
            sink = made
          }
        }, 20_000),
    },
  ],
} satisfies Benchmark

/** So that no loop is optimised away. */
export const kept = () => sink
