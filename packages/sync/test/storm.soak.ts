import { describe, test } from 'vitest'
import { storm } from './storm.js'

describe('four threads, all ways of locking, some killed: nothing is lost, nobody hangs', () => {
  for (let seed = 1; seed <= 5; seed++) {
    test(`2 million operations, seed ${seed}`, () => storm(2_000_000, seed * 7919))
  }
})
