import { strictEqual } from 'node:assert/strict'
import type { Benchmark } from '../benchmark.js'
import { startPeers } from './peers.js'

const able = await startPeers(['add'])
await able.close()

export default {
  title: 'A thread, from its start to its first answer',
  rows: able.peers
    .filter(({ peer }) => peer.role === undefined) // no limit but the bare worker, that of bare postMessage
    .map(({ peer: { name, start } }) => ({
      name,
      async run() {
        const from = performance.now()
        const started = await start()
        strictEqual(await started.add!(1, 2), 3)
        const took = (performance.now() - from) * 1e6
        await started.close()
        return took
      },
    })),
  goals: [{ against: 'bare postMessage', within: 1.2 }],
} satisfies Benchmark
