/** The other thread of `rwlock.bench.ts`. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import '@flatshare/sync'
import { Cell, type Lock, type Locks, readTimes } from './rwlock-reading.js'

const { cells, ...locks } = unmarshal<Locks & { cells: Int32Array }>(workerData)
const reads = readTimes(locks)
const ROUNDS = 100

for (;;) {
  Atomics.wait(cells, Cell.by, 0)
  reads[Atomics.load(cells, Cell.by) as Lock](ROUNDS)
  Atomics.add(cells, Cell.rounds, ROUNDS)
}
