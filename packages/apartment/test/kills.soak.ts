import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { arena } from '@flatshare/core/internal'
import { expect, it } from 'vitest'
import { describeOver } from './contract/suite.js'
import { kill, nothingLeft } from './kills.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Of this thread, after its garbage is gone: bytes. */
async function heap(): Promise<number> {
  for (let i = 0; i < 10; i++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
}

for (const link of ['shared', 'port'] as const) {
  describeOver(link, (open) => {
    it('S13 ten thousand threads die at random moments: every promise settles within a second, nothing is left', async () => {
      // What is made once is made by then.
      await kill(open, 0, 500, 250)
      const before = { heap: await heap(), shared: arena().byteLength }
      for (let seed = 1; seed <= 20; seed++) expect(await kill(open, seed, 500, 250)).toBeLessThan(1000)
      await nothingLeft()
      const after = { heap: await heap(), shared: arena().byteLength }
      expect(after.heap - before.heap, 'bytes of heap').toBeLessThan(8 * 2 ** 20)
      expect(after.shared - before.shared, 'bytes of shared memory').toBeLessThan(2 ** 20)
    })
  })
}
