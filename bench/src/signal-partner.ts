/** The other thread of `signal.bench.ts`. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import type { Signal } from '@flatshare/sync'
import '@flatshare/sync'
import { Cell, handWritten, ROUNDS, type Side } from './signal-by-hand.js'

interface Shared {
  ping: Signal
  pong: Signal
  words: Int32Array
  cells: Int32Array
}

const { ping, pong, words, cells } = unmarshal<Shared>(workerData)
const sides: readonly Side[] = [
  handWritten(words, 1, 0, 1000),
  handWritten(words, 1, 0, 0),
  { set: () => pong.set(), wait: () => ping.waitSync() },
]

for (;;) {
  Atomics.wait(cells, Cell.turn, -1)
  const side = sides[Atomics.exchange(cells, Cell.turn, -1)]
  if (!side) continue
  Atomics.store(cells, Cell.plays, 1)
  Atomics.notify(cells, Cell.plays)
  for (let i = 0; i < ROUNDS; i++) {
    side.wait()
    side.set()
  }
}
