import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { explore } from './explorer.js'
import { heapScenarios, subject } from './heap.scenarios.js'

describe('every interleaving of the heap where', () => {
  for (const [name, scenario] of Object.entries(heapScenarios)) {
    test(name, () => {
      const { violation, trace, states } = explore(scenario)
      if (process.env['EXPLORED']) console.log(name, states)
      expect(violation, trace?.slice(-60).join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
    })
  }
})

/** The heap with one line broken: the explorer must find each, or its scenarios prove nothing. */
interface Mutant {
  readonly name: string
  readonly file: string
  readonly line: string
  readonly instead: string
  readonly foundBy: string
}

const mutants: readonly Mutant[] = [
  {
    name: 'the guard is entered without comparing',
    file: 'control',
    line: 'const holder = memory.compareExchange(guard, 0, me);',
    instead: 'memory.store(guard, me); const holder = 0;',
    foundBy: 'two take and give back',
  },
  {
    name: 'the guard of a dead thread is not taken over',
    file: 'control',
    line: 'if (!memory.isAlive(holder) &&',
    instead: 'if (false &&',
    foundBy: 'a mortal takes, one takes after it',
  },
  {
    name: 'what belongs to another thread is freed onto its own list',
    file: 'pages',
    line: 'if (memory.load(page + Page.owner) !== memory.ownThreadId()) {',
    instead: 'if (false) {',
    foundBy: 'one frees what another took, who goes on taking',
  },
  {
    name: 'two that free at once lose one block to the other’s list',
    file: 'pages',
    line: 'if (memory.compareExchange(page + Page.remote, head, address) === head)',
    instead: 'if (memory.store(page + Page.remote, address), true)',
    foundBy: 'two free into one page',
  },
  {
    name: 'what others have freed is taken without exchange',
    file: 'pages',
    line: 'let last = memory.exchange(page + Page.remote, 0);',
    instead: 'let last = memory.load(page + Page.remote); memory.store(page + Page.remote, 0);',
    foundBy: 'two free into one page',
  },
  {
    name: 'a section does not look for a collector',
    file: 'sections',
    line: 'if (memory.load(collectorAddress) !== 0)\n            waitToEnter(inside);',
    instead: '',
    foundBy: 'one makes objects, one collects',
  },
  {
    name: 'a section is announced after the look',
    file: 'sections',
    line: 'memory.store(inside, 1);\n        if (memory.load(collectorAddress) !== 0)\n            waitToEnter(inside);',
    instead:
      'if (memory.load(collectorAddress) !== 0)\n            waitToEnter(inside);\n        memory.store(inside, 1);',
    foundBy: 'one makes objects, one collects',
  },
  {
    name: 'the collector does not wait for sections',
    file: 'sections',
    line: 'other !== record && isInside(other)',
    instead: 'false',
    foundBy: 'one makes objects, one collects',
  },
  {
    name: 'an object goes when two let go of it',
    file: 'objects',
    line: 'if (memory.add(address + COUNT, -1) === 1)\n            destroy(address);',
    instead:
      'const left = memory.load(address + COUNT); memory.store(address + COUNT, left - 1); if (left === 1) destroy(address);',
    foundBy: 'two drop an object at once',
  },
  {
    name: 'a collection does not count the ledgers of the dead, who are dropped later',
    file: 'collect',
    line: 'for (const object of ledger.entriesOf(record))',
    instead: 'if (memory.isAlive(memory.load(record))) for (const object of ledger.entriesOf(record))',
    foundBy: 'a mortal holds what another uses, one collects, one reaps',
  },
  {
    name: 'a collection forgets what is on its way',
    file: 'collect',
    line: 'for (const object of crossings.objects())',
    instead: 'for (const object of [])',
    foundBy: 'one sends, one collects, one receives',
  },
  {
    name: 'a crossing is ended twice',
    file: 'crossings',
    line: 'memory.store(crossing + OBJECT, 0);\n            makeFree(crossing);\n            return true;',
    instead: 'makeFree(crossing);\n            return true;',
    foundBy: 'one sends, two receive the same',
  },
]

const dist = new URL('../../dist/heap/', import.meta.url)

async function load({ name, file, line, instead }: Mutant): Promise<Partial<typeof subject>> {
  const folder = new URL(`../mutants/${file}-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url)
  mkdirSync(folder, { recursive: true })
  const text = readFileSync(new URL(`${file}.js`, dist), 'utf8')
  if (text.split(line).length !== 2) throw new Error(`${file}.js has not one place to break for "${name}".`)
  const broken = new URL(`${file}.js`, folder)
  writeFileSync(broken, text.replace(line, () => instead).replaceAll(" from './", ` from '${dist.href}`))
  return (await import(broken.href)) as Partial<typeof subject>
}

describe('the explorer finds out that', () => {
  const whole = { ...subject }
  for (const mutant of mutants) {
    test(mutant.name, async () => {
      const broken = await load(mutant)
      for (const key of Object.keys(whole) as (keyof typeof subject)[]) {
        if (broken[key]) Object.assign(subject, { [key]: broken[key] })
      }
      try {
        const { violation } = explore(heapScenarios[mutant.foundBy]!)
        expect(violation).toBeTypeOf('string')
        expect(violation).not.toMatch(/too many/)
      } finally {
        Object.assign(subject, whole)
      }
    })
  }
})
