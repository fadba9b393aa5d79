import { describe, expect, test } from 'vitest'
import { makeRwLockMutant, rwLockMutants } from './rwlock.mutants.js'
import { exploreRwLock, rwLockScenarios } from './rwlock.scenarios.js'
import { subject } from './rwlock-side.js'

describe('every interleaving of a rwlock where', () => {
  for (const name of Object.keys(rwLockScenarios)) {
    test(name, () => {
      const { violation, trace, ...found } = exploreRwLock(name)
      if (process.env['EXPLORED']) console.log(name, found)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(found.states).toBeGreaterThan(50)
      // The rare ends must have been reached, or nothing was proved of them.
      if (/wants|two upgrade/.test(name)) expect(found.refused).toBe(true)
      if (/mortal (writes|upgrades|downgrades)/.test(name)) expect(found.abandoned).toBeGreaterThan(0)
      if (/mortal writes, one (reads|awaits)/.test(name)) expect(found.readerTold).toBe(true)
    })
  }
})

describe('the explorer finds out that', () => {
  const { makeRwLock } = subject
  for (const mutant of rwLockMutants) {
    test(mutant.name, async () => {
      subject.makeRwLock = await makeRwLockMutant(mutant)
      try {
        expect(exploreRwLock(mutant.foundBy, mutant.deeper).violation).toBeTypeOf('string')
      } finally {
        subject.makeRwLock = makeRwLock
      }
    })
  }
})
