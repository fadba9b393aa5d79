import { describe, expect, test } from 'vitest'
import { scenarios } from './blocking.scenarios.js'
import { explore } from './explore.js'

describe('with one interruption more, every interleaving where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries(scenarios)) {
    if (preemptions === undefined) continue
    test(name, () => {
      const { violation, trace } = explore({ ...scenario, preemptions: preemptions + 1 }, 3_000_000)
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
