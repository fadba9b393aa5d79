/** A rwlock with one line broken: each must be found out by some scenario, or the scenarios prove nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type * as RwLockModule from '../../dist/rwlock-core.js'

const modules = ['rwlock-core', 'rwlock-queue', 'reader-records'] as const

export interface RwLockMutant {
  /** What is broken. */
  readonly name: string
  readonly file?: (typeof modules)[number]
  /** A part of the compiled module, and what stands there instead. */
  readonly line: string
  readonly instead: string
  /** The scenario that finds it out. */
  readonly foundBy: string
  /** So many interruptions more than that has. */
  readonly deeper?: number
}

export const rwLockMutants: readonly RwLockMutant[] = [
  {
    name: 'a reader looks at the word before it counts itself',
    line: 'records.add(record, 1);\n        const word = memory.load(address);\n        if ((word & ~UNMENDED)',
    instead: 'const word = memory.load(address);\n        records.add(record, 1);\n        if ((word & ~UNMENDED)',
    foundBy: 'one reads, one writes, twice each',
  },
  {
    name: 'a reader does not look whether somebody is queued',
    line: '(word & ~UNMENDED) === 0 ||',
    instead: '(word & OWNER_MASK) === 0 ||',
    foundBy: 'two read, one writes',
    deeper: 2,
  },
  {
    name: 'who reads already waits for the writers that wait for him',
    line: '(again && records.count(record) > 1)',
    instead: 'false',
    foundBy: 'one reads inside of a read, two write',
  },
  {
    name: 'a reader that has counted in vain keeps its count',
    line: 'return outcomeBy(word);\n        records.add(record, -1);',
    instead: 'return outcomeBy(word);',
    foundBy: 'one reads, one writes, twice each',
  },
  {
    name: 'who tries to read lets nobody in that its count has kept out',
    line: 'queue.serve(address, 0);\n        if (!queue.isWriterWaiting(address)) {',
    instead: 'if (!queue.isWriterWaiting(address)) {',
    foundBy: 'one tries to read, one reads, one writes',
  },
  {
    name: 'the last reader lets nobody in',
    line: 'if (memory.load(address) & QUEUED)',
    instead: 'if (false)',
    foundBy: 'one reads, one writes, twice each',
  },
  {
    name: 'the last reader looks for those who wait before it counts down',
    line: 'records.add(record, -1);\n        if (memory.load(address) & QUEUED)\n            letIn(address);',
    instead:
      'const waited = memory.load(address) & QUEUED;\n        records.add(record, -1);\n        if (waited)\n            letIn(address);',
    foundBy: 'one reads, one writes, twice each',
  },
  {
    name: 'a writer does not look for readers',
    line: "return records.isRead(address + READERS) ? 'read' : 'acquired'",
    instead: "return 'acquired'",
    foundBy: 'one reads, one writes, twice each',
  },
  {
    name: 'a writer that finds readers keeps the word while it waits',
    line: "if (found === 'read')\n            queue.giveBackWord(address, 0);\n        if (!writes",
    instead: 'if (!writes',
    foundBy: 'one reads, one writes, twice each',
  },
  {
    name: 'who tried to write in vain keeps the word',
    line: "if (found === 'read')\n            queue.giveBackWord(address, 0);\n        queue.serve(address, 0);\n        const word",
    instead: 'queue.serve(address, 0);\n        const word',
    foundBy: 'one tries to write, one to read, one reads',
  },
  {
    name: 'a writer lets nobody in',
    line: 'queue.admitReaders(address, 0);\n        queue.serve(address, 0);',
    instead: 'queue.admitReaders(address, 0);',
    foundBy: 'two write',
  },
  {
    name: 'who downgrades ends the write before he reads',
    line: 'records.add(record, 1);\n        releaseWrite(address);',
    instead: 'releaseWrite(address);\n        records.add(record, 1);',
    foundBy: 'one downgrades, one reads, one writes',
  },
  {
    name: 'a second one that upgrades is let wait',
    line: 'if (first === 0)',
    instead: 'if (first !== 99)',
    foundBy: 'two upgrade',
  },
  {
    name: 'what blocks to upgrade is taken for its own hindrance',
    line: 'records.setUpgrading(record, true);',
    instead: ';',
    foundBy: 'one upgrades, one reads',
  },
  {
    name: 'who has tried to upgrade reads too',
    line: 'if (word !== -1)\n            records.add(record, -1);',
    instead: '',
    foundBy: 'one tries to upgrade, one reads, one writes',
  },
  {
    name: 'who waits does not mark the word',
    file: 'rwlock-queue',
    line: '(waited ? QUEUED : 0)',
    instead: '(word & QUEUED)',
    foundBy: 'two write',
  },
  {
    name: 'a dead writer writes for ever',
    file: 'rwlock-queue',
    line: 'writer !== 0 && !memory.isAlive(writer)',
    instead: 'false',
    foundBy: 'a mortal writes, one reads and writes',
  },
  {
    name: 'a dead writer is forgotten',
    file: 'rwlock-queue',
    line: 'died ? UNMENDED : word & ~QUEUED',
    instead: 'died ? 0 : word & ~QUEUED',
    foundBy: 'a mortal writes, one reads and writes',
  },
  {
    name: 'a writer from the queue does not look for readers',
    file: 'rwlock-queue',
    line: 'if (isRead(address, isUpgrader(node) ? -queues.asks(node) : 0))',
    instead: 'if (false)',
    foundBy: 'one reads, one writes, twice each',
  },
  {
    name: 'who upgrades waits for his own read',
    file: 'rwlock-queue',
    line: 'isUpgrader(node) ? -queues.asks(node) : 0',
    instead: '0',
    foundBy: 'one upgrades, one reads',
  },
  {
    name: 'who upgrades waits behind writers that wait for him',
    file: 'rwlock-queue',
    line: 'asks: -record, rank: 1',
    instead: 'asks: -record, rank: 0',
    foundBy: 'one upgrades, one reads, one writes',
  },
  {
    name: 'a read that was granted does not count before it is seen',
    file: 'rwlock-queue',
    line: 'return find(address, (node) => isReader(node) && queues.isGranted(node)) !== 0;',
    instead: 'return false;',
    foundBy: 'one reads, two write',
    deeper: 1,
  },
  {
    name: 'a read that was granted does not count once it is seen',
    file: 'rwlock-queue',
    line: 'records.add(queues.asks(node), 1);',
    instead: ';',
    foundBy: 'one reads, two write',
    deeper: 1,
  },
  {
    name: 'who has upgraded reads too',
    file: 'rwlock-queue',
    line: 'records.add(-queues.asks(node), -1);',
    instead: ';',
    foundBy: 'one upgrades, one reads, one writes',
  },
  {
    name: 'who takes the word does not look again for readers',
    file: 'rwlock-queue',
    line: 'if (!isRead(address, except))\n            return word;',
    instead: 'return word;',
    foundBy: 'one tries to upgrade, one reads, one writes',
    deeper: 1,
  },
  {
    name: 'waiters of blocked threads are not passed over',
    file: 'rwlock-queue',
    line: 'if (!queues.isAsync(node))\n            return false;',
    instead: 'return false;',
    foundBy: 'one awaits a write and blocks for one who writes',
    deeper: 1,
  },
  {
    name: 'waiters that were passed over are never asked again',
    file: 'rwlock-queue',
    line: 'queues.wakeUp(node);\n        return true;',
    instead: 'return true;',
    foundBy: 'one awaits a write and blocks for one who reads',
  },
  {
    name: 'a read is not taken back from a thread that has just blocked',
    file: 'rwlock-queue',
    line: 'if (elsewhere)',
    instead: 'if (false)',
    foundBy: 'one awaits a read and blocks for one who writes twice',
    deeper: 1,
  },
  {
    name: 'a writer that has just blocked is not passed over',
    file: 'rwlock-queue',
    line: 'queues.wakeUp(node);\n            return passesOver(node, 0);',
    instead: 'queues.wakeUp(node);\n            return false;',
    foundBy: 'one awaits a write and blocks for one who reads, then awaits one',
    deeper: 1,
  },
  {
    name: 'a thread that blocks keeps the reads that it has not seen',
    file: 'rwlock-queue',
    line: 'queues.waitOn(node);\n            serve(address, 0);',
    instead: '',
    foundBy: 'one awaits a read and blocks for one who writes',
    deeper: 1,
  },
  {
    name: 'who looks for readers gives back the nodes of the dead',
    file: 'rwlock-queue',
    line: 'let node = queues.first(address);\n        while (node !== 0 && !(queues.isLiving(node) && is(node)))\n            node = queues.after(node);',
    instead:
      'let node = waiting.firstLiving(address);\n while (node !== 0 && !is(node)) node = waiting.nextLiving(node);',
    foundBy: 'a mortal awaits a write, one writes',
  },
  {
    name: 'the dead read for ever',
    file: 'reader-records',
    line: 'memory.load(record + COUNT) > least && memory.isAlive(memory.load(record + THREAD))',
    instead: 'memory.load(record + COUNT) > least',
    foundBy: 'a mortal reads, one writes',
  },
  {
    name: 'who takes over a record takes over its count',
    file: 'reader-records',
    line: 'memory.store(record + COUNT, 0);',
    instead: ';',
    foundBy: 'a mortal reads for the first time, one too, one writes',
  },
  {
    name: 'of two first readers one is left out',
    file: 'reader-records',
    line: 'if (memory.compareExchange(head, first, record) === first)',
    instead: 'if (memory.store(head, record), true)',
    foundBy: 'two read for the first time, one writes',
    deeper: 1,
  },
]

/** The lock with a line broken. */
export async function makeRwLockMutant(mutant: RwLockMutant): Promise<typeof RwLockModule.makeRwLock> {
  const { name, file = 'rwlock-core', line, instead } = mutant
  const dist = new URL('../../dist/', import.meta.url)
  const folder = new URL(`../mutants/rwlock-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const module of modules) {
    let text = readFileSync(new URL(`${module}.js`, dist), 'utf8')
    if (module === file) {
      if (text.split(line).length !== 2) throw new Error(`${file}.js has not one place to break for "${name}".`)
      text = text.replace(line, () => instead)
    }
    for (const other of ['lock', 'wait-queue', 'waiting']) {
      text = text.replaceAll(`'./${other}.js'`, `'${new URL(`${other}.js`, dist).href}'`)
    }
    writeFileSync(new URL(`${module}.js`, folder), text)
  }
  return ((await import(new URL('rwlock-core.js', folder).href)) as typeof RwLockModule).makeRwLock
}
