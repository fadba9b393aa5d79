import { describe, expect, test } from 'vitest'
import { loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { semaphoreMutants } from './semaphore.mutants.js'
import { semaphoreScenarios, subject } from './semaphore.scenarios.js'

describe('every interleaving of a semaphore where', () => {
  for (const [name, scenario] of Object.entries(semaphoreScenarios)) {
    test(name, () => {
      const { violation, trace, states } = explore(scenario, makeEngine)
      if (process.env['EXPLORED']) console.log(name, states)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
    })
  }
})

describe('the explorer finds out that', () => {
  const { makeSemaphore } = subject
  for (const mutant of semaphoreMutants) {
    test(mutant.name, async () => {
      subject.makeSemaphore = (await loadMutant<typeof subject>('semaphore-core', mutant)).makeSemaphore
      try {
        expect(explore(semaphoreScenarios[mutant.foundBy]!, makeEngine).violation).toBeTypeOf('string')
      } finally {
        subject.makeSemaphore = makeSemaphore
      }
    })
  }
})
