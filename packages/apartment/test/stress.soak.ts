import { it } from 'vitest'
import { describeOver } from './contract/suite.js'
import { everythingSettles, nothingIsLost } from './stress.js'

for (const link of ['shared', 'port'] as const) {
  describeOver(link, (open) => {
    it('S2 no deposit is lost among three threads', async () => {
      for (let seed = 0; seed < 20; seed++) await nothingIsLost(open, seed, 20_000)
    })
    it('S13 every call settles, whenever a thread ends', async () => {
      for (let seed = 0; seed < 20; seed++) await everythingSettles(open, seed, 50)
    })
  })
}
