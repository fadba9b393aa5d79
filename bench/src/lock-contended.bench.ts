import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import type { Benchmark } from './benchmark.js'
import { Cell, handWritten, work } from './lock-contention.js'

const ROUNDS = 20_000

const mutex = new Mutex()
const word = new Int32Array(new SharedArrayBuffer(4))
const cells = new Int32Array(new SharedArrayBuffer(16))
cells[Cell.turn] = -1
const [packet, transferList] = marshal({ mutex, word, cells })
const worker = new Worker(new URL('./lock-contender.js', import.meta.url), { workerData: packet, transferList })

async function contend(turn: number, exclusively: (body: () => void) => void): Promise<number> {
  Atomics.store(cells, Cell.turn, turn)
  Atomics.notify(cells, Cell.turn)
  const before = cells[Cell.rounds]!
  // The contender may be starting, or asleep.
  while (Atomics.load(cells, Cell.rounds) === before) await new Promise((resolve) => setImmediate(resolve))
  const started = process.hrtime.bigint()
  const others = cells[Cell.rounds]!
  for (let i = 0; i < ROUNDS; i++) {
    work(cells)
    exclusively(() => void work(cells))
  }
  const elapsed = Number(process.hrtime.bigint() - started)
  const total = ROUNDS + cells[Cell.rounds]! - others
  Atomics.store(cells, Cell.turn, -1)
  return elapsed / total
}

export default {
  title: 'A lock that two threads want: time for each round of either, with as much work inside as outside',
  rows: [
    { name: 'a mutex by hand: spin 1,000, then park', run: () => contend(1, handWritten(word)) },
    { name: 'Mutex: runExclusiveSync', run: () => contend(0, (body) => mutex.runExclusiveSync(body)) },
  ],
  close: async () => void (await worker.terminate()),
} satisfies Benchmark
