/**
 * What the Web Locks specification promises about one thread, for any `LockManager`: written for ours, and run over the
 * runtime's own as well, where there is one, to check the suite itself.
 */
import type { LockManager } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { argumentsContract } from './arguments.contract.js'
import { callbackContract } from './callback.contract.js'
import { kitFor } from './kit.js'
import { orderContract } from './order.contract.js'
import { signalContract } from './signal.contract.js'
import { stealContract } from './steal.contract.js'

/** The suite. `deviations` are titles of tests that this implementation is known to fail. */
export function locksContract(label: string, locks: LockManager, deviations: readonly string[] = []): void {
  const kit = kitFor(locks, deviations)
  describe(`${label}: the Web Locks specification`, () => {
    argumentsContract(kit)
    callbackContract(kit)
    orderContract(kit)
    signalContract(kit)
    stealContract(kit)
    test('each known deviation is the title of a test', () => expect([...kit.unused]).toEqual([]))
  })
}
