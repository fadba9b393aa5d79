import { describe, expect, test } from 'vitest'
import { asyncMutexMutants, makeAsyncMutexMutant } from './async-mutex.mutants.js'
import { asyncMutexScenarios, longAsyncMutexScenarios, subject } from './async-mutex.scenarios.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'

describe('every interleaving of a semaphore of async-mutex where', () => {
  for (const [name, scenario] of Object.entries(asyncMutexScenarios)) {
    test(name, () => {
      const { violation, trace, states } = explore(scenario, makeEngine)
      if (process.env['EXPLORED']) console.log(name, states)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
    })
  }
})

describe('the explorer finds out that', () => {
  const { makeWeightedSemaphore } = subject
  const all = { ...asyncMutexScenarios, ...longAsyncMutexScenarios }
  for (const mutant of asyncMutexMutants) {
    test(mutant.name, async () => {
      subject.makeWeightedSemaphore = await makeAsyncMutexMutant(mutant)
      try {
        expect(explore(all[mutant.foundBy]!, makeEngine).violation).toBeTypeOf('string')
      } finally {
        subject.makeWeightedSemaphore = makeWeightedSemaphore
      }
    })
  }
})
