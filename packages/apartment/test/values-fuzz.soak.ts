import { it } from 'vitest'
import { describeOver } from './contract/suite.js'
import { valuesCross } from './values-fuzz.js'

for (const link of ['shared', 'port'] as const) {
  describeOver(link, (open) => {
    it('a million values come back from another thread as they were', () => valuesCross(open, 1_000_000))
  })
}
