import { describe, expect, test } from 'vitest'
import { barrierScenarios } from './barrier.scenarios.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { beginWith } from './initial-words.js'
import { latchScenarios } from './latch.scenarios.js'
import { signalScenarios } from './signal.scenarios.js'

const all = {
  'signals where': signalScenarios,
  'a barrier where': barrierScenarios,
  'a latch where': latchScenarios,
}

for (const [what, scenarios] of Object.entries(all)) {
  describe(`with one interruption more, every interleaving of ${what}`, () => {
    for (const [name, { preemptions, words, ...scenario }] of Object.entries(scenarios)) {
      if (preemptions === undefined) continue
      test(name, () => {
        const deeper = { ...scenario, preemptions: preemptions + 1 }
        const { violation, trace } = explore(deeper, makeEngine, { mutate: beginWith(words), maxStates: 6_000_000 })
        expect(violation, trace?.join('\n')).toBeUndefined()
      })
    }
  })
}
