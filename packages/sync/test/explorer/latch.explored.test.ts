import { type CoreMutant, loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { everyInterleaving, everyMutant } from './explored.js'
import { beginWith } from './initial-words.js'
import { latchScenarios, subject } from './latch.scenarios.js'

const walk = (scenario: (typeof latchScenarios)[string]) =>
  explore(scenario, makeEngine, { mutate: beginWith(scenario.words) })

everyInterleaving('a latch', latchScenarios, walk)

const mutants: readonly CoreMutant[] = [
  {
    name: 'who counts to 0 wakes nobody',
    line: 'if (count === by)\n                open(address);',
    instead: '',
    foundBy: 'one counts, one blocks',
  },
  {
    name: 'two that count at once count as one',
    line: 'if (memory.compareExchange(address, count, count - by) !== count)',
    instead: 'if (memory.store(address, count - by), false)',
    foundBy: 'two count, one blocks',
  },
  {
    name: 'the latch opens before 0',
    line: 'return memory.load(address) === 0;',
    instead: 'return memory.load(address) <= 1;',
    foundBy: 'two count, one blocks',
  },
  {
    name: 'counting goes below 0',
    line: 'if (by > count)\n                return false;',
    instead: 'if (count === 0)\n                return true;',
    foundBy: 'two count once too often',
  },
  {
    name: 'who waits does not look again once it is queued',
    line: 'waiting.register(KIND, { serve });',
    instead: 'waiting.register(KIND, { serve() {} });',
    foundBy: 'one counts, one blocks',
  },
  {
    name: 'the queue is woken before the count is 0',
    line: 'if (memory.compareExchange(address, count, count - by) !== count)',
    instead:
      'if (count === by) open(address);\n            if (memory.compareExchange(address, count, count - by) === count) return true;\n            else',
    foundBy: 'one counts, one blocks',
  },
  {
    name: 'who opens the latch grants outside of the guard',
    line: 'waiting.enter(address);\n        serve(address);\n        waiting.leave();',
    instead: 'serve(address);',
    foundBy: 'one counts, one blocks',
  },
]

everyMutant(subject, mutants, (mutant) => loadMutant<typeof subject>('latch-core', mutant), latchScenarios, walk)
