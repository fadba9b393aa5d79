import { it } from 'vitest'
import { describeOver } from './contract/suite.js'
import { everythingSettles, nothingIsLost } from './stress.js'

for (const link of ['shared', 'port'] as const) {
  describeOver(link, (open) => {
    it('S2 no deposit is lost among three threads', () => nothingIsLost(open, 1, 1_000))
    it('S13 every call settles, whenever a thread ends', () => everythingSettles(open, 2, 5))
  })
}
