import { expect, test } from 'vitest'
import { soak } from './soak.js'

test('S13 threads that are killed in the middle of anything leave all whole, and no memory behind', {
  timeout: 60_000,
}, async () => {
  expect(await soak({ operations: 30_000, kills: 5, seed: 1 })).toEqual({ objects: 0, bytesUsed: 0, kills: 5 })
})
