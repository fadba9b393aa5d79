import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { explore } from './explorer.js'
import { heapScenarios, subject } from './heap.scenarios.js'

describe('every interleaving of the heap where', () => {
  for (const [name, scenario] of Object.entries(heapScenarios)) {
    test(name, () => {
      const { violation, trace, states } = explore(scenario)
      if (process.env['EXPLORED']) console.log(name, states)
      expect(violation, trace?.slice(-60).join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
    })
  }
})
