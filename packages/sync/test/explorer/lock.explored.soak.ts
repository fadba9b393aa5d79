import { describe, expect, test } from 'vitest'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { scenarios } from './scenarios.js'

describe('with one interruption more, every interleaving of', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries(scenarios)) {
    if (preemptions === undefined) continue
    test(name, () => {
      const deeper = { ...scenario, preemptions: preemptions + 1 }
      const { violation, trace } = explore(deeper, makeEngine, { maxStates: 6_000_000 })
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
