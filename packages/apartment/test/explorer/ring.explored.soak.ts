import { describe, expect, test } from 'vitest'
import { explore } from '../../../core/dist-test/explorer/interleavings.js'
import { moduleText } from '../../../core/dist-test/explorer/module-text.js'
import type * as RingModule from '../../dist/ring.js'
import { scenarios, small, subject } from './ring.scenarios.js'

describe('with one interruption more, every interleaving where', () => {
  for (const [name, { preemptions, ...scenario }] of Object.entries(scenarios)) {
    if (preemptions === undefined) continue
    test(name, async () => {
      subject.instantiate = await moduleText<typeof RingModule>(
        new URL('../../dist/ring.js', import.meta.url),
        new URL('../mutants/ring-soak/', import.meta.url),
        [small],
      )
      const { violation, trace } = explore({ ...scenario, preemptions: preemptions + 1 }, 5_000_000)
      expect(violation, trace?.join('\n')).toBeUndefined()
    })
  }
})
