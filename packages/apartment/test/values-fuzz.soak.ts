import { it } from 'vitest'
import { valuesCross } from './values-fuzz.js'

it('a million values come back from another thread as they were', () => valuesCross(1_000_000))
