/** A thread that publishes something and dies after it has changed the bell, before it notifies. */
import { workerData } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { i32, park } from '@flatshare/core/internal'

const { gate, bell, to, word } = unmarshal<{ gate: number; bell: number; to: number; word: number }>(workerData)
while (Atomics.load(i32, gate >> 2) === 0) park(gate, 0, Infinity)
Atomics.store(i32, word >> 2, 1)
Atomics.compareExchange(i32, bell, to << 2, (to << 2) | 1)
process.exit()
