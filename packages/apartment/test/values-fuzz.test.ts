import { it } from 'vitest'
import { valuesCross } from './values-fuzz.js'

it(
  'any value, with references anywhere in it, comes back from another thread as it was',
  () => valuesCross(100_000),
  120_000,
)
