import { describe, expect, test } from 'vitest'
import { exploreRwLock, rwLockScenarios } from './rwlock.scenarios.js'

describe('with one interruption more, every interleaving of a rwlock where', () => {
  for (const [name, { preemptions }] of Object.entries(rwLockScenarios)) {
    if (preemptions === undefined) continue
    test(name, () => {
      const { violation, trace } = exploreRwLock(name, 1, 6_000_000)
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
