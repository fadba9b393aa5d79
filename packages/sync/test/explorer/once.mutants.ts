/** A once with one line broken: each must be found out by some scenario, or the scenarios prove nothing. */
import type { CoreMutant } from './core-mutants.js'

export const onceMutants: readonly CoreMutant[] = [
  {
    name: 'who runs does not say so',
    line: 'memory.store(address, memory.ownThreadId());',
    instead: ';',
    foundBy: 'two block',
  },
  {
    name: 'who comes does not look whether one runs',
    line: 'if (word === 0)',
    instead: 'if (word !== 99)',
    foundBy: 'two block',
  },
  {
    name: 'who has finished tells nobody',
    line: 'memory.store(address, succeeded ? SUCCEEDED : FAILED);\n        grantAll(waiting, address);',
    instead: 'memory.store(address, succeeded ? SUCCEEDED : FAILED);',
    foundBy: 'two block',
  },
  {
    name: 'the result is written after the word',
    line: 'memory.store(address + VALUE, value);\n        memory.store(address, succeeded ? SUCCEEDED : FAILED);',
    instead: 'memory.store(address, succeeded ? SUCCEEDED : FAILED);\n        memory.store(address + VALUE, value);',
    foundBy: 'one blocks, one only looks',
  },
  {
    name: 'a waiter runs while another one does',
    line: 'turn !== Turn.wait && self !== 0',
    instead: 'self !== 0',
    foundBy: 'two block',
  },
  {
    name: 'the dead run for ever',
    line: 'memory.isAlive(word) ? Turn.wait : Turn.runAbandoned',
    instead: 'Turn.wait',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'a waiter takes the place of the dead without saying so',
    line: 'queues.grantWith(self, memory.ownThreadId(), turn)',
    instead: 'queues.grant(self, turn)',
    foundBy: 'a mortal and two who block, interrupted',
  },
]
