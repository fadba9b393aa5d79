// Opens a gate once the main thread blocks on a lock.
import { parentPort } from 'node:worker_threads'
import { parkedAt } from '@flatshare/core/internal'

const MAIN = 1

parentPort!.on('message', (gate: Int32Array) => {
  while (parkedAt(MAIN) === 0);
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
})
