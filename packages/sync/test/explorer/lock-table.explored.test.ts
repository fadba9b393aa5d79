import { describe, expect, test } from 'vitest'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { makeTableMutant, tableMutants } from './lock-table.mutants.js'
import { subject, tableScenarios } from './lock-table.scenarios.js'

describe('every interleaving of requests for locks where', () => {
  for (const [name, scenario] of Object.entries(tableScenarios)) {
    test(name, () => {
      const { violation, trace, states } = explore(scenario, makeEngine)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
    })
  }
})

describe('the explorer finds out that', () => {
  const { makeLockTable } = subject

  /** What is wrong, be it that the code itself falls over. */
  function violationOf(scenario: string): string | undefined {
    try {
      return explore(tableScenarios[scenario]!, makeEngine, { maxStates: 400_000 }).violation
    } catch (error) {
      return (error as Error).message
    }
  }

  for (const mutant of tableMutants) {
    test(mutant.name, async () => {
      subject.makeLockTable = await makeTableMutant(mutant)
      try {
        expect(violationOf(mutant.foundBy)).toBeTypeOf('string')
      } finally {
        subject.makeLockTable = makeLockTable
      }
    })
  }
})
