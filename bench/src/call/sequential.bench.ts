import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { allPeers, startPeers } from './peers.js'

const { peers, close } = await startPeers(['add'], allPeers)

export default {
  title: 'A call to another thread, one after another',
  rows: peers.map(({ peer, started }) => callRow(peer, () => started.add(1, 2), { expected: 3 })),
  goals: [{ against: 'comlink', faster: 6 }],
  noneFaster: true,
  close,
} satisfies Benchmark
