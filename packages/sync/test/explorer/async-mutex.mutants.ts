/** The semaphore of async-mutex with one line broken: each must be found out by some scenario, or they prove nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type * as SemaphoreModule from '../../dist/async-mutex/weighted-semaphore.js'

const modules = ['float64', 'ledger', 'wait-lists', 'weighted-semaphore'] as const

export interface AsyncMutexMutant {
  /** What is broken. */
  readonly name: string
  readonly file: (typeof modules)[number]
  /** A part of the compiled module, and what stands there instead. */
  readonly line: string
  readonly instead: string
  /** The scenario that finds it out. */
  readonly foundBy: string
}

export const asyncMutexMutants: readonly AsyncMutexMutant[] = [
  {
    name: 'a release serves nobody',
    file: 'weighted-semaphore',
    line: 'ledger.giveBack(address, weight);\n        dispatch(address);\n        waiting.leave();',
    instead: 'ledger.giveBack(address, weight);\n        waiting.leave();',
    foundBy: 'two take one',
  },
  {
    name: 'one is served at most',
    file: 'weighted-semaphore',
    line: 'queues.grant(node, SERVED);\n            tellObservers(address);',
    instead: 'queues.grant(node, SERVED);\n            return;',
    foundBy: 'one sets the value to two, two keep',
  },
  {
    name: 'who is served takes nothing',
    file: 'ledger',
    line: 'commit(address, record, account, value - weight,',
    instead: 'commit(address, record, account, value,',
    foundBy: 'three take one',
  },
  {
    name: 'observers are not told when the last asker is served',
    file: 'weighted-semaphore',
    line: 'function dispatch(address) {\n        tellObservers(address);',
    instead: 'function dispatch(address) {',
    foundBy: 'one observes, two take',
  },
  {
    name: 'a cancelled asker is forgotten',
    file: 'weighted-semaphore',
    line: 'queues.grant(memory.get(record + NODE), CANCELED);',
    instead: ';',
    foundBy: 'one cancels and makes one, two take',
  },
  {
    name: 'deaths are not looked for at the entry',
    file: 'weighted-semaphore',
    line: 'if (deaths === memory.get(address + DEATHS_SEEN))\n            return;',
    instead: 'return;',
    foundBy: 'a mortal, and one who looks at the value',
  },
  {
    name: 'what a dead thread held is not taken back',
    file: 'ledger',
    line: 'currentValue(address) + heldOf(account), 0,',
    instead: 'currentValue(address), 0,',
    foundBy: 'a mortal that keeps, and one who takes',
  },
  {
    name: 'what is taken is not noted',
    file: 'ledger',
    line: 'currentValue(address) - weight, heldOf(account) + weight,',
    instead: 'currentValue(address) - weight, heldOf(account),',
    foundBy: 'a mortal and one who takes',
  },
  {
    name: 'what is given back is not noted',
    file: 'ledger',
    line: 'weight <= held ? held - weight : 0',
    instead: 'held',
    foundBy: 'a mortal, and one who looks whether there is too much',
  },
  {
    name: 'the journal is wiped before it is carried out',
    file: 'ledger',
    line: 'if (memory.get(address + JOURNAL) === 0)\n            return;',
    instead: 'if (memory.get(address + JOURNAL) === 0) return; memory.set(address + JOURNAL, 0);',
    foundBy: 'a mortal and one who takes',
  },
  {
    name: 'the dead stay in the list of askers',
    file: 'weighted-semaphore',
    line: 'lists.remove(address, (record) => !memory.isAlive(memory.get(record + THREAD)));',
    instead: '',
    foundBy: 'a mortal and two who take',
  },
  {
    name: 'who finds himself served does not go on',
    file: 'weighted-semaphore',
    line: 'if (state > WAITING && !queues.isGranted(self))',
    instead: 'if (false)',
    foundBy: 'a mortal who takes two, and one who takes two',
  },
  {
    name: 'after a death, the one who has just come is not served',
    file: 'weighted-semaphore',
    line: 'if (died)\n            bury(address);\n        if (state === NEW)\n            lists.putIn(address, record, self);',
    instead:
      'if (died) {\n bury(address);\n dispatch(address);\n memory.set(address + DEATHS_SEEN, deaths);\n }\n if (state === NEW)\n lists.putIn(address, record, self);\n return;',
    foundBy: 'a mortal that keeps, and one who takes',
  },
  {
    name: 'what others release for a thread comes back with its end',
    file: 'ledger',
    line: 'const paid = Math.min(held, owed);',
    instead: 'const paid = 0;',
    foundBy: 'a mortal for whom another one has released',
  },
]

/** The module with a line broken. */
export async function makeAsyncMutexMutant({
  name,
  file,
  line,
  instead,
}: AsyncMutexMutant): Promise<typeof SemaphoreModule.makeWeightedSemaphore> {
  const folder = new URL(`../mutants/async-mutex-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const module of modules) {
    let text = readFileSync(new URL(`../../dist/async-mutex/${module}.js`, import.meta.url), 'utf8')
    if (module === file) {
      if (text.split(line).length !== 2) throw new Error(`${file}.js has not one place to break for "${name}".`)
      text = text.replace(line, () => instead)
    }
    writeFileSync(new URL(`${module}.js`, folder), text)
  }
  const module = (await import(new URL('weighted-semaphore.js', folder).href)) as typeof SemaphoreModule
  return module.makeWeightedSemaphore
}
