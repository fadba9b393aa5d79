import { it } from 'vitest'
import { describeOver } from './contract/suite.js'
import { kill, nothingLeft } from './kills.js'

for (const link of ['shared', 'port'] as const) {
  describeOver(link, (open) => {
    it('S13 threads die at random moments: every promise settles, and nothing is left', async () => {
      await kill(open, 1, 30, 15)
      await nothingLeft()
    })
  })
}
