import { describe, expect, test } from 'vitest'
import { asyncMutexScenarios, longAsyncMutexScenarios } from './async-mutex.scenarios.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'

describe('with one interruption more, every interleaving of a semaphore of async-mutex where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries({
    ...asyncMutexScenarios,
    ...longAsyncMutexScenarios,
  })) {
    if (preemptions === undefined) continue
    test(name, () => {
      const { violation, trace } = explore({ ...scenario, preemptions: preemptions + 1 }, makeEngine, {
        maxStates: 6_000_000,
      })
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
