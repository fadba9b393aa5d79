import type { CoreMutant } from './core-mutants.js'

/** A semaphore with one line broken each. */
export const semaphoreMutants: readonly CoreMutant[] = [
  {
    name: 'what is taken at once is not counted',
    line: 'memory.set(address, memory.get(address) + weight);\n        memory.set(record',
    instead: 'memory.set(record',
    foundBy: 'two block for the only permit, twice each',
  },
  {
    name: 'who gives permits back serves nobody',
    line: 'if (queues.first(address) !== 0)\n                serveSettled(seat, 0);',
    instead: '',
    foundBy: 'two block for the only permit, twice each',
  },
  {
    name: 'one is served where there is enough for two',
    line: 'free -= weight;',
    instead: 'return;',
    foundBy: 'one gives two signals, two take one each',
  },
  {
    name: 'what is granted is still free for the next',
    line: 'free -= weight;',
    instead: '',
    foundBy: 'three block for the only permit',
  },
  {
    name: 'who comes later passes a heavy waiter',
    line: ' || isAwaited(address)',
    instead: '',
    foundBy: 'one waits for 2 of 2, who has one tries for the other',
  },
  {
    name: 'light waiters are served before a heavy one',
    line: 'if (weight > free)\n                    return;',
    instead: 'if (weight > free) { node = next; continue; }',
    foundBy: 'one waits for 2 of 2, who has one gives it back, one comes later',
  },
  {
    name: 'permits lie idle for a waiter whose thread is blocked',
    line: 'if (isOwn(node) || memory.isParked(queues.threadOf(node))) {',
    instead: 'if (isOwn(node)) {',
    foundBy: 'one awaits and blocks elsewhere, for one who wants the permit again',
  },
  {
    name: 'an asynchronous waiter is woken after its thread was seen not to be blocked',
    line: 'queues.wakeUp(node);\n                    if (isOwn(node) || memory.isParked(queues.threadOf(node))) {',
    instead:
      'const blocked = isOwn(node) || memory.isParked(queues.threadOf(node));\n queues.wakeUp(node);\n if (blocked) {',
    foundBy: 'one awaits and blocks elsewhere, for one who wants the permit again',
  },
  {
    name: 'an asynchronous waiter is passed over without being woken',
    line: 'queues.wakeUp(node);',
    instead: '',
    foundBy: 'two await, one over the event loop, one blocks',
  },
  {
    name: 'who is about to block grants permits to its own asynchronous waiter',
    line: ': queues.isAsync(self)',
    instead: ': true',
    foundBy: 'one awaits and blocks for the same, one blocks',
  },
  {
    name: 'what the dead held does not come back',
    line: 'if (living < memory.get(address))',
    instead: 'if (false)',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'what was granted and not seen counts as free after a death',
    line: 'if (queues.isGranted(node))\n                living += queues.asks(node);',
    instead: '',
    foundBy: 'one tries twice, one blocks, a stranger dies',
  },
  {
    name: 'what a waiter was granted is not put to its record',
    line: 'memory.set(record + HELD, memory.get(record + HELD) + queues.asks(node));',
    instead: '',
    foundBy: 'one tries twice, one blocks, a stranger dies',
  },
  {
    name: 'what is given back stays in the record',
    line: 'memory.set(record + HELD, held - part);',
    instead: '',
    foundBy: 'a mortal and two who block',
  },
  {
    name: 'nobody is told of a death',
    line: 'if (held > 0)\n                    memory.set(address + TOLD_OF_DEATH, ABANDONED);',
    instead: '',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'everybody is told of a death',
    line: 'if (told !== 0)\n            memory.set(address + TOLD_OF_DEATH, 0);',
    instead: '',
    foundBy: 'a mortal and two who block',
  },
  {
    name: 'a signal that was granted to the dead is lost',
    line: 'if (result & UNCHARGED) {',
    instead: 'if (true) {',
    foundBy: 'a mortal who waits for a signal, one who gives it, one who counts',
  },
  {
    name: 'a grant is counted before it is there',
    line: 'queues.grantWith(node, memory.get(address) + weight, memory.get(address + TOLD_OF_DEATH));',
    instead:
      'memory.set(address, memory.get(address) + weight); queues.grant(node, memory.get(address + TOLD_OF_DEATH));',
    foundBy: 'a mortal who gives up in front of one who waits for a signal, one who gives it',
  },
  {
    name: 'what was granted and not charged comes back',
    line: 'queues.grant(node, UNCHARGED | memory',
    instead: 'queues.grant(node, memory',
    foundBy: 'a mortal who awaits, one who awaits, one who blocks',
  },
]
