import { expect, test } from 'vitest'
import { soak } from './soak.js'

test('10 million operations of 4 threads, of which 500 are killed, leave all whole, and no memory behind', async () => {
  expect(await soak({ operations: 10_000_000, kills: 500, seed: 7 })).toEqual({ objects: 0, bytesUsed: 0, kills: 500 })
})
