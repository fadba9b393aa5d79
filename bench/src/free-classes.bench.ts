// Methods of free-threaded objects in a program with many classes, which engines can't specialise as well.
import { FreeThreaded, Reads, Shared, snapshot } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { depositByHand } from './deposit-by-hand.js'
import { keep, timed } from './timed.js'

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

const TIMES = 500_000
const point = new Position()
const others = ['One', 'Two', 'Three', 'Four', 'Five', 'Six'].map(otherClass)

export default {
  title: 'Free-threaded objects of many classes: one thread, uncontended',
  rows: [
    {
      name: 'a lock and an add by hand, with Atomics',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) depositByHand(1)
        }),
    },
    {
      name: 'locked methods (deposit) of six classes in turns',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) others[i % 6]!.deposit(1)
        }),
    },
    {
      name: 'a method that reads two fields: @Reads()',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += point.sum()
          keep(sum)
        }),
    },
    {
      name: 'a method that reads two fields: @Reads({ optimistic: true })',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += point.sumOptimistically()
          keep(sum)
        }),
    },
    {
      name: 'a snapshot of two fields',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) keep(snapshot(point))
        }),
    },
  ],
} satisfies Benchmark
