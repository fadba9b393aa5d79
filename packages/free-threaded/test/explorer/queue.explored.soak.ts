import { describe, expect, test } from 'vitest'
import { makeEngine } from '../../../sync/dist-test/explorer/engine.js'
import { explore } from '../../../sync/dist-test/explorer/explore.js'
import { emptyQueue, queueScenarios } from './queue.scenarios.js'

describe('with one interruption more, every interleaving of a shared queue where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries(queueScenarios)) {
    if (preemptions === undefined) continue
    test(name, () => {
      const deeper = { ...scenario, preemptions: preemptions + 1 }
      const options = { mutate: emptyQueue(scenario.capacity), maxStates: 6_000_000 }
      const { violation, trace } = explore(deeper, makeEngine, options)
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
