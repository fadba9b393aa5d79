import { barrierScenarios, subject } from './barrier.scenarios.js'
import { type CoreMutant, loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { everyInterleaving, everyMutant } from './explored.js'
import { beginWith } from './initial-words.js'

const walk = (scenario: (typeof barrierScenarios)[string]) =>
  explore(scenario, makeEngine, { mutate: beginWith(scenario.words) })

everyInterleaving('a barrier', barrierScenarios, walk)

const mutants: readonly CoreMutant[] = [
  {
    name: 'who arrives last ends nothing',
    line: 'else if (arrived > 0 && arrived === memory.get(address))\n            end(address, 0, last);',
    instead: '',
    foundBy: 'two await',
  },
  {
    name: 'a generation ends with one too few',
    line: 'arrived === memory.get(address)',
    instead: 'arrived >= memory.get(address) - 1',
    foundBy: 'three block',
  },
  {
    name: 'the first is the leader, and the last as well',
    line: 'memory.get(address + LEADER) === node ? Passage.leader',
    instead: 'memory.get(address + LEADER) === node || queues.first(address) === node ? Passage.leader',
    foundBy: 'two await',
  },
  {
    name: 'nobody is noted as the leader',
    line: 'memory.set(address + LEADER, leader);',
    instead: '',
    foundBy: 'two await',
  },
  {
    name: 'who arrives has the number of no generation',
    line: '{ kind: KIND, asks: generation }, options)',
    instead: '{ kind: KIND }, options)',
    foundBy: 'two block, twice each',
  },
  {
    name: 'an ended generation keeps its number',
    line: '(((memory.get(address + GENERATION) >>> 1) + 1) << 1) | broken',
    instead: '((memory.get(address + GENERATION) >>> 1) << 1) | broken',
    foundBy: 'two await',
  },
  {
    name: 'who ends a generation lets nobody go',
    line: '| broken);\n        present(address);',
    instead: '| broken);',
    foundBy: 'two await',
  },
  {
    name: 'the next node is looked for when the one before is gone',
    line: 'node = next) {',
    instead: 'node = queues.after(node)) {',
    foundBy: 'two await, twice each',
  },
  {
    name: 'the dead count as arrived',
    line: 'if (!isLiving)\n                    anyDead = true;',
    instead: '',
    foundBy: 'a mortal blocks, one blocks',
  },
  {
    name: 'the dead are only dropped',
    line: 'if (queues.asks(node) === generation) {',
    instead: 'if (queues.asks(node) === generation && isLiving) {',
    foundBy: 'a mortal blocks, one blocks',
  },
  {
    name: 'those who go are granted before the generation ends',
    line: 'memory.set(address + LEADER, leader);',
    instead:
      'memory.set(address + LEADER, leader);\n        for (let node = queues.first(address), next = 0; broken === 0 && node !== 0; node = next) { next = queues.after(node); queues.grant(node, passage(address, broken, node)); }',
    foundBy: 'a mortal blocks, one awaits twice',
  },
  {
    name: 'a broken generation passes as a whole one',
    line: 'if (ended & BROKEN)\n            return Passage.broken;',
    instead: '',
    foundBy: 'a mortal blocks, one blocks',
  },
]

everyMutant(subject, mutants, (mutant) => loadMutant<typeof subject>('barrier-core', mutant), barrierScenarios, walk)
