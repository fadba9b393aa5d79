/** The other thread of `lock-fairness.bench.ts`: has the lock nearly always. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import type { Mutex } from '@flatshare/sync'
import '@flatshare/sync'
import { Cell, handWritten, work } from './lock-contention.js'

const { mutex, word, cells } = unmarshal<{ mutex: Mutex; word: Int32Array; cells: Int32Array }>(workerData)
const exclusively = [(body: () => void) => mutex.runExclusiveSync(body), handWritten(word)]

for (;;) {
  Atomics.wait(cells, Cell.turn, -1)
  const run = exclusively[Atomics.load(cells, Cell.turn)]
  run?.(() => {
    cells[Cell.rounds]!++
    for (let i = 0; i < 100; i++) work(cells)
  })
}
