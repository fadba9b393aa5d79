import { describe, expect, test } from 'vitest'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { tableScenarios } from './lock-table.scenarios.js'

describe('with one interruption more, every interleaving of requests for locks where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries(tableScenarios)) {
    if (preemptions === undefined) continue
    test(name, () => {
      const { violation, trace } = explore({ ...scenario, preemptions: preemptions + 1 }, makeEngine, {
        maxStates: 6_000_000,
      })
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
