import { type CoreMutant, loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore } from './explore.js'
import { everyInterleaving, everyMutant } from './explored.js'
import { beginWith } from './initial-words.js'
import { signalScenarios } from './signal.scenarios.js'
import { subject } from './signal.threads.js'

const walk = (scenario: (typeof signalScenarios)[string]) =>
  explore(scenario, makeEngine, { mutate: beginWith(scenario.words) })

everyInterleaving('signals', signalScenarios, walk)

const mutants: readonly CoreMutant[] = [
  {
    name: 'a set wakes nobody',
    line: 'memory.store(address, memory.get(address) | SET);\n        grant(address);',
    instead: 'memory.store(address, memory.get(address) | SET);',
    foundBy: 'two answer each other',
  },
  {
    name: 'an automatic signal is granted to all',
    line: 'grantOne(address);\n    }',
    instead: 'grantAll(waiting, address);\n    }',
    foundBy: 'three block for an automatic one',
  },
  {
    name: 'an automatic signal stays set when it is granted',
    line: 'queues.grantWith(node, AUTOMATIC)',
    instead: 'queues.grantWith(node, AUTOMATIC | SET)',
    foundBy: 'three block for an automatic one',
  },
  {
    name: 'who comes leaves an automatic signal set',
    line: 'if (word & AUTOMATIC)\n            memory.store(address, AUTOMATIC);',
    instead: '',
    foundBy: 'two block for an automatic one, twice each',
  },
  {
    name: 'who tries takes an automatic signal without the guard',
    line: 'waiting.enter(address);\n        const taken = take(address);\n        waiting.leave();',
    instead: 'const taken = (word & SET) !== 0;\n        if (taken) memory.store(address, AUTOMATIC);',
    foundBy: 'two block for an automatic one, one only tries',
  },
  {
    name: 'who was granted one is granted the next as well',
    line: 'queues.isGranted(node) || !canGo(node)',
    instead: '!canGo(node)',
    foundBy: 'one awaits an automatic one twice and blocks for it, one sets it three times',
  },
  {
    name: 'a thread that blocks keeps what its asynchronous waiter was granted',
    line: 'if (!(memory.get(address) & AUTOMATIC))\n                return;',
    instead: 'return;',
    foundBy: 'one awaits an automatic one and blocks for it, one blocks',
  },
  {
    name: 'an asynchronous waiter of a blocked thread is granted first',
    line: 'if (memory.isParked(thread))\n            return false;',
    instead: 'if (memory.isParked(thread))\n            return true;',
    foundBy: 'one awaits an automatic one and blocks for it, one blocks',
  },
  {
    name: 'whether a thread parks is looked at before its inbox is filled',
    line: 'queues.wakeUp(node);\n        return !memory.isParked(thread);',
    instead: 'return true;',
    foundBy: 'one awaits an automatic one and blocks for it, one blocks',
  },
  {
    name: 'nobody is granted when all are passed over',
    line: 'firstAwake(address) || firstBlocked(address)',
    instead: 'firstAwake(address)',
    foundBy: 'one awaits an automatic one twice and blocks for it, one sets it three times',
  },
  {
    name: 'a manual signal lets only one go',
    line: 'grantAll(waiting, address);',
    instead: 'grantOne(address);',
    foundBy: 'two await a manual one, which is set and reset at once',
  },
  {
    name: 'a grant goes with the dead',
    line: 'queues.dropWith(node, AUTOMATIC | SET);\n                grant(address);',
    instead: 'waiting.drop(node);',
    foundBy: 'a mortal blocks for an automatic one, one sets it',
  },
  {
    name: 'what the dead were not granted is granted',
    line: 'queues.isGranted(node) && memory.get(address) & AUTOMATIC',
    instead: 'memory.get(address) & AUTOMATIC',
    foundBy: 'a mortal blocks for an automatic one, one blocks',
  },
  {
    name: 'two that come back from the dead are one',
    line: 'queues.dropWith(node, AUTOMATIC | SET);\n                grant(address);',
    instead: 'queues.dropWith(node, AUTOMATIC | SET);',
    foundBy: 'a mortal awaits an automatic one twice, one awaits it twice',
  },
  {
    name: 'a grant is taken back without a note of it',
    line: 'memory.set(address + TAKEN_BACK, node);',
    instead: 'queues.waitOn(node); memory.store(address, AUTOMATIC | SET);',
    foundBy: 'a mortal awaits an automatic one and blocks for it, one sets it',
  },
  {
    name: 'a thread that blocks has its own waiter go with what nobody else can take',
    line: 'if (other === 0)\n                return;',
    instead: 'if (other === 0) { queues.waitOn(node); queues.grantWith(node, AUTOMATIC); return; }',
    foundBy: 'a mortal awaits an automatic one and blocks for another, one sets both',
  },
  {
    name: 'the dead are not looked for',
    line: 'if (deaths === memory.get(address + SEARCHED))',
    instead: 'if (deaths >= 0)',
    foundBy: 'a mortal blocks for an automatic one, one sets it',
  },
  {
    name: 'a reset comes before a set that died half-way',
    line: 'serve(address);\n        memory.store(address, memory.get(address) & ~SET);',
    instead: 'memory.store(address, memory.get(address) & ~SET);',
    foundBy: 'a mortal sets a manual one, which is reset, two await',
  },
]

everyMutant(subject, mutants, (mutant) => loadMutant<typeof subject>('signal-core', mutant), signalScenarios, walk)
