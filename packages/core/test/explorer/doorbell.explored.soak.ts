import { describe, expect, test } from 'vitest'
import type * as DoorbellModule from '../../dist/doorbell.js'
import { scenarios, subject } from './doorbell.scenarios.js'
import { explore } from './interleavings.js'
import { moduleText } from './module-text.js'

describe('with one interruption more, every interleaving where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries(scenarios)) {
    if (preemptions === undefined) continue
    test(name, async () => {
      subject.instantiate = await moduleText<typeof DoorbellModule>(
        new URL('../../dist/doorbell.js', import.meta.url),
        new URL('../mutants/doorbell-soak/', import.meta.url),
      )
      const { violation, trace } = explore({ ...scenario, preemptions: preemptions + 1 }, 5_000_000)
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
