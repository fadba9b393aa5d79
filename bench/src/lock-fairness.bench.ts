import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import type { Benchmark } from './benchmark.js'
import { Cell, handWritten } from './lock-contention.js'

const ROUNDS = 20

const mutex = new Mutex()
const word = new Int32Array(new SharedArrayBuffer(4))
const cells = new Int32Array(new SharedArrayBuffer(16))
cells[Cell.turn] = -1
const [packet, transferList] = marshal({ mutex, word, cells })
const worker = new Worker(new URL('./lock-hammer.js', import.meta.url), { workerData: packet, transferList })

async function against(turn: number, exclusively: (body: () => void) => void): Promise<number> {
  Atomics.store(cells, Cell.turn, turn)
  Atomics.notify(cells, Cell.turn)
  let waited = 0n
  for (let i = 0; i < ROUNDS; i++) {
    const before = cells[Cell.rounds]!
    while (Atomics.load(cells, Cell.rounds) === before) await new Promise((resolve) => setImmediate(resolve))
    const started = process.hrtime.bigint()
    exclusively(() => {
      waited += process.hrtime.bigint() - started
    })
  }
  Atomics.store(cells, Cell.turn, -1)
  return Number(waited) / ROUNDS
}

export default {
  title: 'A lock that another thread has nearly always, for some 20 µs at a time: time until one gets it',
  rows: [
    { name: 'Mutex: runExclusiveSync', run: () => against(0, (body) => mutex.runExclusiveSync(body)) },
    { name: 'a mutex by hand: spin 1,000, then park', run: () => against(1, handWritten(word)) },
  ],
  close: async () => void (await worker.terminate()),
} satisfies Benchmark
