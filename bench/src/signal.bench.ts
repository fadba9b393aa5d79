import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { Signal } from '@flatshare/sync'
import type { Benchmark } from './benchmark.js'
import { Cell, handWritten, ROUNDS, type Side } from './signal-by-hand.js'

const ping = new Signal({ reset: 'automatic' })
const pong = new Signal({ reset: 'automatic' })
const words = new Int32Array(new SharedArrayBuffer(8))
const cells = new Int32Array(new SharedArrayBuffer(8))
cells[Cell.turn] = -1
const [packet, transferList] = marshal({ ping, pong, words, cells })
const worker = new Worker(new URL('./signal-partner.js', import.meta.url), { workerData: packet, transferList })

async function play(turn: number, { set, wait }: Side): Promise<number> {
  Atomics.store(cells, Cell.plays, 0)
  Atomics.store(cells, Cell.turn, turn)
  Atomics.notify(cells, Cell.turn)
  // The partner may be starting, or asleep.
  while (Atomics.load(cells, Cell.plays) === 0) await new Promise((resolve) => setImmediate(resolve))
  const started = process.hrtime.bigint()
  for (let i = 0; i < ROUNDS; i++) {
    set()
    wait()
  }
  return Number(process.hrtime.bigint() - started) / ROUNDS
}

export default {
  title: 'Two blocked threads that answer each other: time for a round trip of two automatic signals',
  rows: [
    { name: 'two words by hand: spin 1,000, then park', run: () => play(0, handWritten(words, 0, 1, 1000)) },
    { name: 'two words by hand: park at once', run: () => play(1, handWritten(words, 0, 1, 0)) },
    { name: 'Signal: set, waitSync', run: () => play(2, { set: () => ping.set(), wait: () => pong.waitSync() }) },
  ],
  close: async () => void (await worker.terminate()),
} satisfies Benchmark
