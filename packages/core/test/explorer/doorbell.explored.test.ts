import { describe, expect, test } from 'vitest'
import type * as DoorbellModule from '../../dist/doorbell.js'
import { mutants } from './doorbell.mutants.js'
import { scenarios, subject } from './doorbell.scenarios.js'
import { explore } from './interleavings.js'
import { type Edit, moduleText } from './module-text.js'

const load = (name: string, edits: readonly Edit[] = []) =>
  moduleText<typeof DoorbellModule>(
    new URL('../../dist/doorbell.js', import.meta.url),
    new URL(`../mutants/doorbell-${name.replaceAll(/\W+/g, '-')}/`, import.meta.url),
    edits,
  )

describe('every interleaving where', () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(name, async () => {
      subject.instantiate = await load('whole')
      const { violation, trace, states, ends } = explore(scenario)
      expect(violation, trace?.join('\n')).toBeUndefined()
      expect(states).toBeGreaterThan(50)
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
