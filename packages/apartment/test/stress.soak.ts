import { it } from 'vitest'
import { everythingSettles, nothingIsLost } from './stress.js'

it('S2 no deposit is lost among three threads', async () => {
  for (let seed = 0; seed < 20; seed++) await nothingIsLost(seed, 20_000)
})
it('S13 every call settles, whenever a thread ends', async () => {
  for (let seed = 0; seed < 20; seed++) await everythingSettles(seed, 50)
})
