import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { explore } from '../../../core/dist-test/explorer/interleavings.js'
import { makeInbox } from '../../dist/shared-inbox.js'
import { scenarios, subject } from './inbox.scenarios.js'

/** The inbox with one line broken: the explorer must find each, or its scenarios prove nothing. */
const mutants: ReadonlyArray<readonly [name: string, line: string, instead: string, foundBy: string]> = [
  [
    'a head that has changed is overwritten',
    'if (found === before)',
    'if (found !== -1)',
    'two raise, and one more often',
  ],
  ['nobody announces', 'memory.notify(bell);', '', 'one raises twice'],
  ['the bell is notified and not raised', 'memory.add(bell, 1);', '', 'one raises twice'],
  [
    'the home reads the head and clears it afterwards',
    'memory.exchange(block, 0)',
    '(memory.load(block) && [memory.load(block), memory.exchange(block, 0)][0])',
    'two raise, and one more often',
  ],
  ['the newest comes first', 'return values.reverse();', 'return values;', 'one raises twice'],
  [
    'a record is given back before it is read',
    'values.push(memory.get(record + VALUE));',
    'memory.free(record, RECORD_BYTES); values.push(memory.get(record + VALUE));',
    'one raises twice',
  ],
]

async function broken(line: string, instead: string): Promise<typeof makeInbox> {
  const text = readFileSync(new URL('../../dist/shared-inbox.js', import.meta.url), 'utf8')
  if (text.split(line).length !== 2) throw new Error(`shared-inbox.js has not one place with "${line}".`)
  const url = `data:text/javascript,${encodeURIComponent(text.replace(line, () => instead))}`
  return ((await import(/* @vite-ignore */ url)) as { makeInbox: typeof makeInbox }).makeInbox
}

describe('every interleaving where', () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, () => {
      subject.makeInbox = makeInbox
      const { violation, trace, states, ends } = explore(scenario)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(10)
      expect(ends).toBeGreaterThan(0)
    })
  }
})

describe('the explorer finds out that', () => {
  for (const [name, line, instead, foundBy] of mutants) {
    test(name, async () => {
      subject.makeInbox = await broken(line, instead)
      expect(explore(scenarios[foundBy]!).violation).toBeTypeOf('string')
    })
  }
})
