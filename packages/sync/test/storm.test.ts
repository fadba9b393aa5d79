import { test } from 'vitest'
import { storm } from './storm.js'

test('S13, S17 four threads, all ways of locking, some killed: nothing is lost, nobody hangs', async () => {
  await storm(200_000, 1)
})
