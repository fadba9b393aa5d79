import type { Benchmark } from '../benchmark.js'
import { callRow } from '../call/call-row.js'
import { startPeers } from '../call/peers.js'
import { processPeers } from './process-peers.js'

const { peers, close } = await startPeers(['add'], processPeers)

export default {
  title: 'A call to another process, one after another',
  rows: peers.map(({ peer, started }) => callRow(peer, () => started.add(1, 2), { expected: 3 })),
  goals: [{ against: 'bare process.send', faster: 1 }],
  noneFaster: true,
  close,
} satisfies Benchmark
