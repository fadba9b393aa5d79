import { describe, expect, test } from 'vitest'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { longSemaphoreScenarios, semaphoreScenarios } from './semaphore.scenarios.js'

describe('with one interruption more, every interleaving of a semaphore where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries({
    ...semaphoreScenarios,
    ...longSemaphoreScenarios,
  })) {
    if (preemptions === undefined) continue
    test(name, () => {
      const deeper = { ...scenario, preemptions: preemptions + (name in semaphoreScenarios ? 1 : 0) }
      const { violation, trace } = explore(deeper, makeEngine, { maxStates: 6_000_000 })
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
