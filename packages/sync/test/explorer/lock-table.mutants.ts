/** The table of locks with one line broken: each must be found out by some scenario, or the scenarios prove nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type * as LockTableModule from '../../dist/lock-table.js'

export interface TableMutant {
  /** What is broken. */
  readonly name: string
  readonly file?: 'lock-table' | 'lock-requests'
  /** A part of the compiled module, and what stands there instead. */
  readonly line: string
  readonly instead: string
  /** The scenario that finds it out. */
  readonly foundBy: string
}

export const tableMutants: readonly TableMutant[] = [
  {
    name: 'who comes takes the lock',
    line: 'known === 0 || (get(known + FIRST_WAITING) === 0 && lists.admits(known, exclusive))',
    instead: 'true',
    foundBy: 'two request',
  },
  {
    name: 'exclusive requests are admitted to shared ones',
    file: 'lock-requests',
    line: 'if (state & EXCLUSIVE)',
    instead: 'if (state === 99)',
    foundBy: 'two share, one does not',
  },
  {
    name: 'who leaves grants nothing',
    line: 'lists.remove(request);\n        settle(resource);',
    instead: 'lists.remove(request);',
    foundBy: 'two request',
  },
  {
    name: 'who is granted is not told',
    line: 'memory.reach(node + NODE_BYTES);\n            queues.grant(node);',
    instead: ';',
    foundBy: 'two request',
  },
  {
    name: 'the first to be granted stays the first who waits',
    file: 'lock-requests',
    line: 'set(resource + FIRST_WAITING, get(request + NEXT));',
    instead: ';',
    foundBy: 'two request',
  },
  {
    name: 'who gives up stays the first who waits',
    file: 'lock-requests',
    line: 'if (get(resource + FIRST_WAITING) === request)',
    instead: 'if (false)',
    foundBy: 'one gives up, one requests, one holds',
  },
  {
    name: 'who gives up stays in the queue',
    line: 'if (node !== 0)\n            waiting.withdraw(node);',
    instead: '',
    foundBy: 'one gives up, one requests',
  },
  {
    name: 'a robbery is done without ringing',
    line: 'memory.add(bell, 1);\n        memory.notify(bell, Infinity);',
    instead: '',
    foundBy: 'one is robbed',
  },
  {
    name: 'who is robbed is not marked',
    file: 'lock-requests',
    line: 'memory.store(at + STATE, get(at + STATE) | STOLEN);',
    instead: ';',
    foundBy: 'one is robbed',
  },
  {
    name: 'the robbed leave a list that they are not in',
    line: 'if (get(request + STATE) & STOLEN) {\n            waiting.leave();',
    instead: 'if (false) {\n            waiting.leave();',
    foundBy: 'one is robbed where another one waits',
  },
  {
    name: 'nobody looks whether a thread has died',
    line: 'get(table + DIRTY) === 0 && get(table + DEATHS_SEEN) === deaths',
    instead: 'get(table + DIRTY) === 0',
    foundBy: 'a mortal and one who requests',
  },
  {
    name: 'who leaves does not say that the table is being changed',
    line: 'set(table + DIRTY, 1);\n        lists.remove(request);',
    instead: 'lists.remove(request);',
    foundBy: 'a mortal and one who requests',
  },
  {
    name: 'a repair trusts the state of the table',
    file: 'lock-requests',
    line: 'set(at + PREVIOUS, last);',
    instead: ';',
    foundBy: 'a mortal and two who request',
  },
  {
    name: 'a repair does not look for the first who waits',
    file: 'lock-requests',
    line: 'set(resource + FIRST_WAITING, firstWaiting);',
    instead: ';',
    foundBy: 'a mortal and one who requests',
  },
  {
    name: 'the dead hold on',
    file: 'lock-requests',
    line: 'if (isDead || state & STOLEN)',
    instead: 'if (state & STOLEN)',
    foundBy: 'a mortal and one who requests',
  },
  {
    name: 'a repair grants nothing',
    line: 'lists.mend(resource);\n            settle(resource);',
    instead: 'lists.mend(resource);',
    foundBy: 'a mortal and one who requests',
  },
  {
    name: 'a grant that a dead thread has begun is not completed',
    line: 'if (get(request + STATE) & GRANTED)\n                    queues.grant(self);',
    instead: ';',
    foundBy: 'a mortal and one who requests',
  },
  {
    name: 'a repair keeps the robbed',
    file: 'lock-requests',
    line: 'if (isDead || state & STOLEN)',
    instead: 'if (isDead)',
    foundBy: 'a mortal thief and one who is robbed',
  },
]

/** The module with a line broken. */
export async function makeTableMutant({
  name,
  file = 'lock-table',
  line,
  instead,
}: TableMutant): Promise<typeof LockTableModule.makeLockTable> {
  const folder = new URL(`../mutants/lock-table-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const module of ['lock-table', 'lock-requests', 'lock-resources', 'wait-queue']) {
    let text = readFileSync(new URL(`../../dist/${module}.js`, import.meta.url), 'utf8')
    if (module === file) {
      if (text.split(line).length !== 2) throw new Error(`${file}.js has not one place to break for "${name}".`)
      text = text.replace(line, () => instead)
    }
    writeFileSync(new URL(`${module}.js`, folder), text)
  }
  return ((await import(new URL('lock-table.js', folder).href)) as typeof LockTableModule).makeLockTable
}
