import type { CrossesAsItself, crossesAsItself, Remote } from '@flatshare/apartment'
import type { SharedMap, SharedQueue, SharedSet, SharedVector } from '@flatshare/free-threaded'
import type { Progress } from '@flatshare/progress'
import type { Mutex, RwLock, Semaphore } from '@flatshare/sync'
import { describe, expectTypeOf, it } from 'vitest'

class Account implements CrossesAsItself {
  declare readonly [crossesAsItself]?: true
  balance = 0
  deposit(amount: number): number {
    return (this.balance += amount)
  }
}

interface Shared {
  readonly map: SharedMap<string, number>
  readonly set: SharedSet<string>
  readonly vector: SharedVector<number>
  readonly queue: SharedQueue<number>
  readonly mutex: Mutex
  readonly lock: RwLock
  readonly semaphore: Semaphore
  readonly progress: Progress
  readonly account: Account
}

interface Service {
  all(): Shared
  queue(): SharedQueue<number>
  use(shared: Shared, progress: Progress, account: Account): void
}

describe('what is shared memory', () => {
  it('is in results what it is', () => {
    const calls = (service: Remote<Service>) => {
      expectTypeOf(service.all()).toEqualTypeOf<Promise<Shared>>()
      expectTypeOf(service.queue()).toEqualTypeOf<Promise<SharedQueue<number>>>()
    }
    expectTypeOf(calls).toBeFunction()
  })

  it('is given as it is, and not as a proxy', () => {
    const calls = (service: Remote<Service>, shared: Shared, progress: Progress, remote: Remote<Account>) => {
      void service.use(shared, progress, shared.account)
      // @ts-expect-error a proxy is no account: its methods are no plain calls
      void service.use(shared, progress, remote)
    }
    expectTypeOf(calls).toBeFunction()
  })
})
