import { describe, expect, test } from 'vitest'
import { conditionMutants } from './condition.mutants.js'
import { conditionScenarios, subject } from './condition.scenarios.js'
import { loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'

describe('every interleaving of a condition where', () => {
  for (const [name, scenario] of Object.entries(conditionScenarios)) {
    test(name, () => {
      const { violation, trace, states } = explore(scenario, makeEngine)
      if (process.env['EXPLORED']) console.log(name, states)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
    })
  }
})

describe('the explorer finds out that', () => {
  const { makeCondition } = subject
  for (const mutant of conditionMutants) {
    test(mutant.name, async () => {
      subject.makeCondition = (await loadMutant<typeof subject>('condition-core', mutant)).makeCondition
      try {
        expect(explore(conditionScenarios[mutant.foundBy]!, makeEngine).violation).toBeTypeOf('string')
      } finally {
        subject.makeCondition = makeCondition
      }
    })
  }
})
