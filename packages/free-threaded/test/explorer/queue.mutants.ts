import type { CoreMutant } from '../../../sync/dist-test/explorer/core-mutants.js'

/** A queue with one line broken each. */
export const queueMutants: readonly CoreMutant[] = [
  {
    name: 'who moves an element serves nobody',
    line: 'if (moveNow(address, request))\n            serveSettled(address, 0);\n        waiting.leave();\n        return request.outcome;',
    instead: 'moveNow(address, request);\n waiting.leave();\n return request.outcome;',
    foundBy: 'one puts two into room for one, one tries to take while it sleeps',
  },
  {
    name: 'who blocks and needs not to serves nobody',
    line: 'if (moveNow(address, request)) {\n            serveSettled(address, 0);',
    instead: 'if (moveNow(address, request)) {',
    foundBy: 'one puts three into room for one, one takes them',
  },
  {
    name: 'who sees its grant serves nobody',
    line: 'if (!serving)\n            serveSettled(address, 0);',
    instead: '',
    foundBy: 'two put two each into room for one, one takes them',
  },
  {
    name: 'own waiters are granted in one round only',
    line: 'while (serveOnce(address, self))\n                ;',
    instead: 'serveOnce(address, self);',
    foundBy: 'one awaits room three times, one awaits three elements',
  },
  {
    name: 'what is granted is still free',
    line: 'return there - memory.get(grantedAt(address, side));',
    instead: 'return there;',
    foundBy: 'one puts two into room for two, two take them',
  },
  {
    name: 'one element is granted to two',
    line: 'free[side]--;',
    instead: '',
    foundBy: 'one puts two into room for two, two take them',
  },
  {
    name: 'what was granted and seen is not free again',
    line: 'memory.set(grantedAt(address, side), memory.get(grantedAt(address, side)) - 1);\n        if',
    instead: 'if',
    foundBy: 'two put two each into room for one, one takes them',
  },
  {
    name: 'a newcomer passes those who wait',
    line: 'if (--free === 0)\n                return false;',
    instead: '',
    foundBy: 'one is in line, one puts and would take it back',
  },
  {
    name: 'an element lies idle for a waiter whose thread is blocked',
    line: 'if (isOwn(node) || memory.isParked(queues.threadOf(node))) {',
    instead: 'if (isOwn(node)) {',
    foundBy: 'one awaits an element and blocks for another, one puts two',
  },
  {
    name: 'an asynchronous waiter is woken after its thread was seen not to be blocked',
    line: 'queues.wakeUp(node);\n                    if (isOwn(node) || memory.isParked(queues.threadOf(node))) {',
    instead:
      'const blocked = isOwn(node) || memory.isParked(queues.threadOf(node));\n queues.wakeUp(node);\n if (blocked) {',
    foundBy: 'one awaits and blocks for a lock, for one who takes an element',
  },
  {
    name: 'an asynchronous waiter is passed over without being woken',
    line: 'queues.wakeUp(node);',
    instead: '',
    foundBy: 'one awaits room three times, one awaits three elements',
  },
  {
    name: 'who is about to block grants an element to its own asynchronous waiter',
    line: ': queues.isAsync(self)',
    instead: ': true',
    foundBy: 'one awaits an element and blocks for another, one puts two',
  },
  {
    name: 'the head is stored after the element is out',
    line: 'memory.set(address + HEAD, next);\n            request.move(cellOf(address, at));',
    instead: 'request.move(cellOf(address, at));\n memory.set(address + HEAD, next);',
    foundBy: 'a mortal takes, one takes, one puts two',
  },
  {
    name: 'the tail is stored before the element is there',
    line: 'request.move(cellOf(address, at));\n            memory.set(address + TAIL, next);',
    instead: 'memory.set(address + TAIL, next);\n request.move(cellOf(address, at));',
    foundBy: 'a mortal puts, one awaits room, one takes two',
  },
  {
    name: 'what the dead were granted stays theirs',
    line: 'memory.set(grantedAt(address, TAKE), granted[TAKE]);',
    instead: '',
    foundBy: 'a mortal takes, one takes, one puts two',
  },
  {
    name: 'the dead stay in line',
    line: 'if (deaths === memory.get(address + DEATHS))\n            return;',
    instead: 'return;',
    foundBy: 'a mortal takes, one takes, one puts two',
  },
  {
    name: 'who closes tells nobody',
    line: 'memory.set(address + CLOSED, 1);\n        serveSettled(address, 0);',
    instead: 'memory.set(address + CLOSED, 1);',
    foundBy: 'two wait for an element, one closes',
  },
  {
    name: 'the end comes while elements are left',
    line: 'isClosedInside(address) && (side === PUT || sizeInside(address) === 0)',
    instead: 'isClosedInside(address)',
    foundBy: 'one puts two and closes, two take until the end',
  },
  {
    name: 'room that was granted before the end is used after it',
    line: "if (isRefused(address, side))\n            request.outcome = 'closed';\n        else\n            move(address, request);\n        memory",
    instead: 'move(address, request);\n memory',
    foundBy: 'two wait for room, one closes',
  },
]
