import { it } from 'vitest'
import { describeOver } from './contract/suite.js'
import { valuesCross } from './values-fuzz.js'

for (const [link, count] of [
  ['shared', 100_000],
  ['port', 30_000],
] as const) {
  describeOver(link, (open) => {
    it(
      'any value, with references anywhere in it, comes back from another thread as it was',
      () => valuesCross(open, count),
      120_000,
    )
  })
}
