import { describe, expect, test } from 'vitest'
import { explore } from '../../../core/dist-test/explorer/interleavings.js'
import { type Edit, moduleText } from '../../../core/dist-test/explorer/module-text.js'
import type * as RingModule from '../../dist/ring.js'
import { mutants } from './ring.mutants.js'
import { scenarios, small, subject } from './ring.scenarios.js'

const load = (name: string, edits: readonly Edit[] = []) =>
  moduleText<typeof RingModule>(
    new URL('../../dist/ring.js', import.meta.url),
    new URL(`../mutants/ring-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url),
    [small, ...edits],
  )

describe('every interleaving where', () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, async () => {
      subject.instantiate = await load('whole')
      const { violation, trace, states, ends } = explore(scenario)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(10)
      expect(ends).toBeGreaterThan(0)
    })
  }
})

describe('the explorer finds out that', () => {
  for (const { name, edits, foundBy } of mutants) {
    test(name, async () => {
      subject.instantiate = await load(name, edits)
      expect(explore(scenarios[foundBy]!).violation).toBeTypeOf('string')
    })
  }
})
