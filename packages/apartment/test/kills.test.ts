import { expect, it } from 'vitest'
import { kill, left } from './kills.js'

it('S13 threads die at random moments: every promise settles, and nothing is left', async () => {
  await kill(0, 2, 1000)
  const before = left()
  await kill(1, 30, 15)
  expect(left()).toEqual(before)
})
