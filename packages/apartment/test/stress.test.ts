import { it } from 'vitest'
import { everythingSettles, nothingIsLost } from './stress.js'

it('S2 no deposit is lost among three threads', () => nothingIsLost(1, 1_000))
it('S13 every call settles, whenever a thread ends', () => everythingSettles(2, 5))
