/** The contract, checked with `async-mutex` itself (so that it is known to be right) and with ours. */
import * as ours from '@flatshare/sync/async-mutex'
import * as theirs from 'async-mutex'
import { afterEach, beforeEach, describe, vi } from 'vitest'
import type { Library } from './library.js'
import { mutexContract } from './mutex.contract.js'
import { randomContract } from './random.contract.js'
import { semaphoreContract } from './semaphore.contract.js'
import { timeoutsContract } from './timeouts.contract.js'
import { waitForUnlockContract } from './wait-for-unlock.contract.js'

const libraries: Record<string, Library> = { 'async-mutex': theirs, '@flatshare/sync/async-mutex': ours }

describe.each(Object.entries(libraries))('%s', (_, library) => {
  const { Mutex, Semaphore, withTimeout } = library
  mutexContract('Mutex', library, (cancelError) => new Mutex(cancelError))
  semaphoreContract('Semaphore', library, (value, cancelError) => new Semaphore(value, cancelError))
  waitForUnlockContract('Semaphore.waitForUnlock', (value) => new Semaphore(value))

  describe('wrapped, while no time passes', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    })
    afterEach(() => {
      vi.useRealTimers()
    })
    mutexContract('withTimeout(Mutex)', library, (cancelError) => withTimeout(new Mutex(cancelError), 500))
    semaphoreContract('withTimeout(Semaphore)', library, (value, cancelError) =>
      withTimeout(new Semaphore(value, cancelError), 500),
    )
    waitForUnlockContract('withTimeout(Semaphore).waitForUnlock', (value) => withTimeout(new Semaphore(value), 500))
  })

  describe('with timeouts', () => timeoutsContract(library))
})

describe('@flatshare/sync/async-mutex, beside async-mutex', () => randomContract(ours, 300))
