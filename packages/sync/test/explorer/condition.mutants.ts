import type { CoreMutant } from './core-mutants.js'

/** A condition with one line broken each. */
export const conditionMutants: readonly CoreMutant[] = [
  {
    name: 'who awaits unlocks the mutex before it is queued',
    line: 'const token = enter(address, mutex, -mutex);',
    instead:
      'lock.release(mutex);\n const token = enter(address, mutex, -mutex);\n' +
      'return { token, node: waiting.enqueue(address, { kind: SLEEPER, asks: token }, waiter) };',
    foundBy: 'one awaits, one notifies',
  },
  {
    name: 'who waits gives the mutex to its own waiter, which cannot run',
    line: 'lock.releaseToBlock(mutex);',
    instead: 'lock.release(mutex);',
    foundBy: 'one awaits the mutex and waits, one notifies',
  },
  {
    name: 'who notifies wakes nobody',
    line: 'if (notified > 0)\n            serve(address);',
    instead: '',
    foundBy: 'one waits, one notifies',
  },
  {
    name: 'one is notified twice instead of two once',
    line: 'return isToken(node) && !queues.isGranted(node) && ',
    instead: 'return isToken(node) && ',
    foundBy: 'two wait, one notifies twice',
  },
  {
    name: 'more are notified than were to be',
    line: ' && notified < most',
    instead: '',
    foundBy: 'two wait, one notifies one',
  },
  {
    name: 'all waiters are woken by one notification',
    line: 'if (token === coming || (queues.isAsync(node) && queues.isGranted(token)))',
    instead: 'if (coming !== 0 || queues.isGranted(token))',
    foundBy: 'two wait, one notifies one',
  },
  {
    name: 'who has the mutex again does not wake the next',
    line: 'queues.unlink(token);\n        serve(address);',
    instead: 'queues.unlink(token);',
    foundBy: 'two wait, one notifies all',
  },
  {
    name: 'who has the mutex again leaves its place behind',
    line: 'queues.unlink(token);\n        serve(address);',
    instead: 'serve(address);',
    foundBy: 'two wait, one notifies all',
  },
  {
    name: 'who awaits is not woken',
    line: 'queues.isAsync(node) && queues.isGranted(token)',
    instead: 'false',
    foundBy: 'one awaits, one notifies',
  },
  {
    name: 'who gives up throws its notification away',
    line: 'const inTime = !queues.isGranted(token);',
    instead: 'const inTime = true;',
    foundBy: 'one gives up by timeout, one waits, one notifies all',
  },
  {
    name: 'who gives up keeps its place',
    line: 'if (inTime)\n            queues.unlink(token);',
    instead: '',
    foundBy: 'one gives up by timeout, one waits, one notifies one',
  },
  {
    name: 'the notification of the dead is lost',
    line: 'if (queues.isGranted(node))\n                        queues.dropWith(node, memory.load(address) + 1);\n                    else\n',
    instead: '',
    foundBy: 'a mortal waits, one waits, one notifies one',
  },
  {
    name: 'what the dead leave behind is given to nobody',
    line: 'grantOwed(address);',
    instead: 'memory.store(address, 0);',
    foundBy: 'a mortal waits, one waits, one notifies one',
  },
  {
    name: 'what the dead leave behind waits for somebody who comes later',
    line: 'if (owed > 0)\n            memory.store(address, 0);',
    instead: '',
    foundBy: 'a mortal waits, one waits, one notifies all',
  },
  {
    name: 'the dead stay in front',
    line: 'takeOutDead(address);',
    instead: '',
    foundBy: 'a mortal waits, one waits, one notifies all',
  },
  {
    name: 'who is refused the mutex leaves its place behind',
    line: 'passOn(address, token);',
    instead: ';',
    foundBy: 'one waits with a lock, one notifies and wants that',
  },
]
