import { describe, expect, test } from 'vitest'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { makeMutant, mutants } from './mutants.js'
import { scenarios } from './scenarios.js'

describe('every interleaving of', () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, () => {
      const { violation, trace, ...found } = explore(scenario, makeEngine)
      if (process.env['EXPLORED']) console.log(name, found)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(found.states).toBeGreaterThan(50)
      // The rare ends must have been reached, or nothing was proved of them.
      if (scenario.deaths) expect(found.abandoned).toBeGreaterThan(0)
      if (name.endsWith('opposite order')) expect(found.deadlocks).toBeGreaterThan(0)
    })
  }
})

describe('the explorer finds out that', () => {
  for (const mutant of mutants) {
    test(mutant.name, async () => {
      const { violation } = explore(scenarios[mutant.foundBy]!, await makeMutant(mutant), {
        mutate: mutant.mutate,
        maxStates: 400_000,
      })
      expect(violation).toBeTypeOf('string')
    })
  }
})
