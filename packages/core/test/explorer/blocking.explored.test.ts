import { describe, expect, test } from 'vitest'
import { scenarios } from './blocking.scenarios.js'
import { explore } from './explore.js'

describe('every interleaving where', () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, () => {
      const { violation, trace, states, ends } = explore(scenario)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(20)
      expect(ends.size).toBeGreaterThan(0)
    })
  }
})
