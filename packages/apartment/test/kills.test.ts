import { it } from 'vitest'
import { kill, nothingLeft } from './kills.js'

it('S13 threads die at random moments: every promise settles, and nothing is left', async () => {
  await kill(1, 30, 15)
  await nothingLeft()
})
