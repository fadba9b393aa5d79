/**
 * The lock with one line broken: each must be found out by some scenario, or the scenarios prove nothing.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type * as LockModule from '../../dist/lock.js'
import type * as WaitQueueModule from '../../dist/wait-queue.js'
import type * as WaitingModule from '../../dist/waiting.js'
import type { Mutation } from './explore.js'
import type { MakeEngine } from './model.js'

export interface Mutant {
  /** What is broken. */
  readonly name: string
  readonly file?: (typeof modules)[number]
  /** A line of the compiled module, and what stands there instead. */
  readonly line?: string
  readonly instead?: string
  /** What is broken in the memory instead: core's part. */
  readonly mutate?: Mutation
  /** The scenario that finds it out. */
  readonly foundBy: string
}

const withMemory =
  (change: (memory: Parameters<Mutation>[0]) => Partial<ReturnType<Mutation>>): Mutation =>
  (memory) => ({ ...memory, ...change(memory) })

export const mutants: readonly Mutant[] = [
  {
    name: 'an unlock wakes nobody',
    line: 'memory.store(address, waiting.firstLiving(address) === 0 ? flag : flag | QUEUED);\n            wakeThoseInFront(address);',
    instead: 'memory.store(address, waiting.firstLiving(address) === 0 ? flag : flag | QUEUED);',
    foundBy: 'two block, twice each',
  },
  {
    name: 'a waiter that was woken is not notified',
    file: 'wait-queue',
    line: 'memory.notify(address, Infinity);',
    instead: ';',
    foundBy: 'two block, twice each',
  },
  {
    name: 'who waits does not mark the lock',
    line: 'if (word & QUEUED || memory.compareExchange(address, word, word | QUEUED) === word)',
    instead: 'if (true)',
    foundBy: 'two block, twice each',
  },
  {
    name: 'who takes the lock from the queue forgets those behind',
    line: 'memory.ownThreadId() | (alone ? 0 : QUEUED)',
    instead: 'memory.ownThreadId()',
    foundBy: 'three block',
  },
  {
    name: 'a free lock is taken without comparing the word',
    line: 'if (memory.compareExchange(address, word, next) !== word)',
    instead: 'if (memory.store(address, next), false)',
    foundBy: 'two block, one twice, one only tries',
  },
  {
    name: 'a lock is handed on without its word',
    line: 'queues.grantWith(next, thread | QUEUED,',
    instead: 'queues.grantWith(next, memory.load(address),',
    foundBy: 'two block, twice each',
  },
  {
    name: 'a lock is handed on outside of the journal',
    file: 'wait-queue',
    line: 'memory.set(queue + JOURNAL, node);',
    instead: '',
    foundBy: 'a mortal and two who block',
  },
  {
    name: 'what the journal says is not carried out',
    file: 'wait-queue',
    line: 'carryOut(node, memory.get(at + JOURNAL_WORD), memory.get(at + JOURNAL_RESULT));',
    instead: ';',
    foundBy: 'a mortal and two who block',
  },
  {
    name: 'a guard that was taken over is not repaired',
    file: 'wait-queue',
    line: 'repair(at);',
    instead: '',
    foundBy: 'a mortal and two who block',
  },
  {
    name: 'a guard is not taken over',
    file: 'wait-queue',
    line: 'else if (!memory.isAlive(holder)) {',
    instead: 'else if (false) {',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'the last node is believed after a death',
    file: 'wait-queue',
    line: 'memory.set(at + LAST, previous);',
    instead: '',
    foundBy: 'a mortal and two who block',
  },
  {
    name: 'a guard is entered without comparing',
    file: 'wait-queue',
    line: 'if (memory.compareExchange(at, 0, me) !== 0)\n            enterSlow(at, me);',
    instead: 'memory.store(at, me);',
    foundBy: 'two block, twice each',
  },
  {
    name: 'an asynchronous waiter is not put into the inbox',
    file: 'wait-queue',
    line: 'if (memory.compareExchange(inbox, head, node) === head) {',
    instead: 'if (true) {',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'an inbox that was empty is not notified of',
    file: 'wait-queue',
    line: 'wakes.push(inbox);',
    instead: '',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'who looks into the inbox forgets to look at the state again',
    file: 'awaiting',
    line: 'queues.waitOn(node);\n                kinds.get(queues.kindOf(node)).serve(address, node);',
    instead: 'queues.waitOn(node);',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'the sleep for the inbox is not taken up again',
    file: 'awaiting',
    line: 'if (waiters.size > 0)\n                sleep();',
    instead: '',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'who aborts wakes nobody else',
    file: 'awaiting',
    line: 'kind.serve(address, 0);\n        }\n        leave();\n        return inTime;',
    instead: '}\n        leave();\n        return inTime;',
    foundBy: 'one awaits and gives up, two block',
  },
  {
    name: 'who was granted the lock may give up all the same',
    file: 'awaiting',
    line: 'const inTime = waiters.has(node) && !queues.isGranted(node);',
    instead: 'const inTime = waiters.has(node);',
    foundBy: 'one awaits and gives up, one awaits',
  },
  {
    name: 'nobody asks whether the owner lives',
    line: 'if (owner !== 0 && memory.isAlive(owner)) {',
    instead: 'if (owner !== 0) {',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'who parks does not look again whether somebody has died',
    file: 'blocking',
    line: 'if (memory.deaths() !== deaths)',
    instead: 'if (false)',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'the nodes of the dead are served',
    file: 'waiting',
    line: 'while (node !== 0 && !queues.isLiving(node)) {',
    instead: 'while (false) {',
    foundBy: 'a mortal who awaits, one who awaits, one who blocks',
  },
  {
    name: 'nobody looks again after a death',
    file: 'awaiting',
    line: 'memory.onExit(lookAgain);',
    instead: '',
    foundBy: 'a mortal and one who awaits',
  },
  {
    name: 'who blocks keeps what its asynchronous waiters were woken for',
    file: 'blocking',
    line: 'passOn();',
    instead: '',
    foundBy: 'one awaits and blocks elsewhere, behind one who awaits',
  },
  {
    name: 'who blocks keeps what its asynchronous waiters were granted',
    line: 'giveBack,\n        holders',
    instead: 'holders',
    foundBy: 'one awaits and blocks elsewhere, behind one who awaits',
  },
  {
    name: 'an unlock relies on a waiter whose thread is blocked',
    line: 'asynchronous = !memory.isParked(queues.threadOf(node));',
    instead: 'asynchronous = true;',
    foundBy: 'one awaits and blocks elsewhere, behind one who awaits',
  },
  {
    name: 'an abandoned lock passes as whole when it was not mended',
    line: 'releaseSlow(address, memory.ownThreadId(), UNMENDED);',
    instead: 'releaseSlow(address, memory.ownThreadId(), 0);',
    foundBy: 'a mortal, one who does not mend, one who does',
  },
  {
    name: 'nobody looks for a cycle',
    file: 'blocking',
    line: 'deadlock.refuse(node, what);',
    instead: '',
    foundBy: 'two threads, two locks, in opposite order',
  },
  {
    name: 'a cycle is believed at the first look',
    file: 'deadlock',
    line: 'const stands = cycle.every(',
    instead: 'const stands = true || cycle.every(',
    foundBy: 'two threads, two locks, in opposite order, one without nesting',
  },
  {
    name: 'both threads of a cycle are refused',
    file: 'deadlock',
    line: 'queues.wakeSelf(node)',
    instead: 'true',
    foundBy: 'two threads, two locks, in opposite order',
  },
  {
    name: 'a wait does not compare',
    mutate: withMemory((memory) => ({
      park: (address, _expected, ...rest) => memory.park?.(address, memory.load(address), ...rest),
    })),
    foundBy: 'two block, twice each',
  },
  {
    name: 'a death wakes nobody',
    mutate: withMemory(({ notify }) => ({
      notify: (address, count) => (address >= 96 && count === Infinity ? undefined : notify(address, count)),
    })),
    foundBy: 'a mortal and one who blocks',
  },
]

const modules = ['wait-queue', 'waiting', 'awaiting', 'blocking', 'deadlock', 'lock'] as const

/** The modules with a line broken. */
export async function makeMutant({ name, file = 'lock', line, instead }: Mutant): Promise<MakeEngine> {
  const folder = new URL(`../mutants/${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const module of modules) {
    let text = readFileSync(new URL(`../../dist/${module}.js`, import.meta.url), 'utf8')
    if (module === file && line !== undefined) {
      if (text.split(line).length !== 2) throw new Error(`${file}.js has not one place to break for "${name}".`)
      text = text.replace(line, () => instead!)
    }
    writeFileSync(new URL(`${module}.js`, folder), text)
  }
  const load = <T>(module: (typeof modules)[number]) => import(new URL(`${module}.js`, folder).href) as Promise<T>
  const { makeWaitQueues } = await load<typeof WaitQueueModule>('wait-queue')
  const { makeWaiting } = await load<typeof WaitingModule>('waiting')
  const { makeLock } = await load<typeof LockModule>('lock')
  return (memory) => {
    const waiting = makeWaiting(makeWaitQueues(memory))
    return { waiting, lock: makeLock(waiting) }
  }
}
