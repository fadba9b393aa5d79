import { describe, expect, test } from 'vitest'
import { conditionScenarios, longConditionScenarios } from './condition.scenarios.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'

describe('with one interruption more, every interleaving of a condition where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries({
    ...conditionScenarios,
    ...longConditionScenarios,
  })) {
    if (preemptions === undefined) continue
    test(name, () => {
      const deeper = { ...scenario, preemptions: preemptions + (name in conditionScenarios ? 1 : 0) }
      const { violation, trace } = explore(deeper, makeEngine, { maxStates: 6_000_000 })
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
