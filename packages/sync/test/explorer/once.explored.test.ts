import { describe, expect, test } from 'vitest'
import type * as OnceModule from '../../dist/once-core.js'
import { loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore, type Scenario } from './explore.js'
import { onceMutants } from './once.mutants.js'
import { longScenarios, onceScenarios, subject } from './once.scenarios.js'

/** What is wrong with a scenario, and whether somebody was told of a death in it. */
function walk(scenario: Scenario): ReturnType<typeof explore> & { toldOfDeath: boolean } {
  let toldOfDeath = false
  const found = explore(
    {
      ...scenario,
      finally(counters, load) {
        if ((counters['abandoned'] ?? 0) > 0) toldOfDeath = true
        return scenario.finally?.(counters, load)
      },
    },
    makeEngine,
  )
  return { ...found, toldOfDeath }
}

describe('every interleaving of a once that is run where', () => {
  for (const [name, scenario] of Object.entries(onceScenarios)) {
    test(name, () => {
      const { violation, trace, states, deadlocks, toldOfDeath } = walk(scenario)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
      // The rare ends must have been reached, or nothing was proved of them.
      expect(toldOfDeath).toBe((scenario.deaths ?? 0) > 0)
      if (name.includes('each other')) expect(deadlocks).toBeGreaterThan(0)
    })
  }
})

describe('the explorer finds out that', () => {
  const { makeOnce } = subject
  for (const mutant of onceMutants) {
    test(mutant.name, async () => {
      subject.makeOnce = (await loadMutant<typeof OnceModule>('once-core', mutant)).makeOnce
      try {
        expect(walk({ ...onceScenarios, ...longScenarios }[mutant.foundBy]!).violation).toBeTypeOf('string')
      } finally {
        subject.makeOnce = makeOnce
      }
    })
  }
})
