/**
 * The lock with one line broken: each must be found out by some scenario, or the scenarios prove nothing.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Mutation } from './explore.js'
import type { MakeLock } from './model.js'

export interface Mutant {
  /** What is broken. */
  readonly name: string
  readonly file?: 'lock' | 'deadlock'
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
    name: 'an unlock wakes no blocking waiter',
    line: 'memory.notify(address, 1);',
    instead: '',
    foundBy: 'two block, twice each',
  },
  {
    name: 'an unlock wakes no async waiter',
    line: 'memory.notify(address + ASYNC_WORD, Infinity);',
    instead: '',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'an unlock wakes only one async waiter',
    line: 'memory.notify(address + ASYNC_WORD, Infinity);',
    instead: 'memory.notify(address + ASYNC_WORD, 1);',
    foundBy: 'one awaits and blocks elsewhere, behind one who awaits',
  },
  {
    name: 'an unlock does not raise the async word',
    line: 'memory.add(address + ASYNC_WORD, 1);',
    instead: '',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'an unlock on the own thread gives its queue no try',
    line: 'memory.soon(() => {',
    instead: 'void (() => {',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'who was woken takes the lock without C',
    line: 'relied = CONTENDED;',
    instead: '',
    foundBy: 'three block',
  },
  {
    name: 'who was woken gives up without setting C again',
    line: 'if (left <= 0 && relied === 0)',
    instead: 'if (left <= 0)',
    foundBy: 'one gives up by timeout, one blocks, one twice',
  },
  {
    name: 'the lock is taken without comparing the word',
    line: 'if (memory.compareExchange(address, word, me | (word & CONTENDED) | flag) !== word)',
    instead: 'if (memory.store(address, me | (word & CONTENDED) | flag), false)',
    foundBy: 'two block, twice each',
  },
  {
    name: 'nobody asks whether the owner lives',
    line: 'owner === me || memory.isAlive(owner)',
    instead: 'true',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'who parks does not look again whether the owner lives',
    line: 'return memory.isAlive(holder);',
    instead: 'return true;',
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'an abandoned lock passes as whole when it was not mended',
    line: 'memory.exchange(address, OWNER_DIED)',
    instead: 'memory.exchange(address, 0)',
    foundBy: 'a mortal, one who does not mend, one who does',
  },
  {
    name: 'an async waiter does not set C',
    line: '!(word & CONTENDED) && memory.compareExchange(address, word, word | CONTENDED) !== word)\n                continue;\n            sleep',
    instead: 'false)\n                continue;\n            sleep',
    foundBy: 'two await twice, holding over the event loop',
  },
  {
    name: 'an async waiter reads the async word too late',
    line: 'sleep(queue, seen);',
    instead: 'sleep(queue, memory.load(address + ASYNC_WORD));',
    foundBy: 'two await',
  },
  {
    name: 'an async waiter is counted too late',
    line: 'memory.add(address + ASYNC_THREADS, 1);\n        contend(fresh);',
    instead: 'contend(fresh);\n        memory.add(address + ASYNC_THREADS, 1);',
    foundBy: 'two await',
  },
  {
    name: 'a queue that has emptied leaves its sleep behind',
    line: 'if (queue.asleep)\n            memory.wakeOwn(queue.address + ASYNC_WORD);',
    instead: '',
    foundBy: 'one awaits and gives up, one awaits',
  },
  {
    name: 'a queue that has emptied stays counted',
    line: 'memory.add(queue.address + ASYNC_THREADS, -1);',
    instead: '',
    foundBy: 'two await',
  },
  {
    name: 'nobody looks for a cycle',
    line: 'refuseCycle(address, me, what);',
    instead: '',
    foundBy: 'two threads, two locks, in opposite order',
  },
  {
    name: 'a cycle is believed at the first look',
    file: 'deadlock',
    line: 'return stands ? cycle : undefined;',
    instead: 'return cycle;',
    foundBy: 'two threads, two locks, in opposite order, one without nesting',
  },
  {
    name: 'a death wakes nobody',
    mutate: withMemory(({ notify }) => ({
      notify: (address, count) => (count === Infinity ? undefined : notify(address, count)),
    })),
    foundBy: 'a mortal and one who blocks',
  },
  {
    name: 'a wait does not compare',
    mutate: withMemory((memory) => ({
      park: (address, _expected, ...rest) => memory.park?.(address, memory.load(address), ...rest),
    })),
    foundBy: 'two block, twice each',
  },
]

/** The module with its line broken. */
export async function makeMutant({ name, file = 'lock', line, instead }: Mutant): Promise<MakeLock> {
  const source = (module: string) => readFileSync(new URL(`../../dist/${module}.js`, import.meta.url), 'utf8')
  const modules = { lock: source('lock'), deadlock: source('deadlock') }
  if (line !== undefined) {
    if (modules[file].split(line).length !== 2) throw new Error(`${file}.js has not one place to break for "${name}".`)
    modules[file] = modules[file].replace(line, () => instead!)
  }
  const folder = new URL(`../mutants/${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const [module, text] of Object.entries(modules)) writeFileSync(new URL(`${module}.js`, folder), text)
  return ((await import(new URL('lock.js', folder).href)) as { makeLock: MakeLock }).makeLock
}
