/** A thread that publishes for another one, round after round, and blocks until that has seen each. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { announce, i32 } from '@flatshare/core/internal'

const { to, word, rounds } = unmarshal<{ to: number; word: number; rounds: number }>(workerData)
const published = word >> 2
const seen = published + 1
for (let round = 1; round <= rounds; round++) {
  Atomics.store(i32, published, round)
  announce(to)
  while (Atomics.load(i32, seen) !== round) Atomics.wait(i32, seen, round - 1)
}
