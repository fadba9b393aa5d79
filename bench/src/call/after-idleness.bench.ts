import { setTimeout as pause } from 'node:timers/promises'
import type { Benchmark } from '../benchmark.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['add'])
for (const { started } of peers) for (let i = 0; i < 5000; i++) await started.add(1, 2)

/** Milliseconds in which the threads that were called last fall asleep again. */
const APART = 10

export default {
  title: 'The first call after a second of idleness',
  rows: peers.map(({ peer: { name, role }, started }) => ({
    name,
    role,
    async run() {
      await pause(APART)
      const from = performance.now()
      await started.add(1, 2)
      return (performance.now() - from) * 1e6
    },
  })),
  /** All of them idle through the same second. */
  beforeRound: () => pause(1000),
  goals: [{ against: 'comlink', faster: 1 }],
  noneFaster: true,
  close,
} satisfies Benchmark
