/** The other thread of `free-contention.bench.ts` and `free-contention-reading.bench.ts`. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import '@flatshare/free-threaded'
import { Cell, loopsOf, type Subjects } from './free-contention.js'
import { keep } from './timed.js'

const ROUNDS = 500

const subjects = unmarshal<Subjects>(workerData)
const loops = loopsOf(subjects, keep)

for (;;) {
  Atomics.wait(subjects.cells, Cell.loop, 0)
  loops[Atomics.load(subjects.cells, Cell.loop)]?.(ROUNDS)
  Atomics.add(subjects.cells, Cell.rounds, ROUNDS)
}
