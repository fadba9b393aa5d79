import { describe, expect, test } from 'vitest'
import { scenarios, subject } from './blocking.scenarios.js'
import { explore } from './explore.js'
import { loadMutant, mutants } from './mutants.js'

describe('every interleaving where', () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, () => {
      const { violation, trace, states, ends } = explore(scenario)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
      expect(ends.size).toBe(1)
    })
  }
})

describe('the explorer finds out that', () => {
  const whole = { ...subject }
  for (const mutant of mutants) {
    test(mutant.name, async () => {
      Object.assign(subject, await loadMutant(mutant))
      try {
        expect(explore(scenarios[mutant.foundBy]!).violation).toBeTypeOf('string')
      } finally {
        Object.assign(subject, whole)
      }
    })
  }
})
