import type { Benchmark } from '../benchmark.js'
import { callRow, together } from '../call/call-row.js'
import { startPeers } from '../call/peers.js'
import { processPeers } from './process-peers.js'

const IN_FLIGHT = 64

const { peers, close } = await startPeers(['add'], processPeers)

export default {
  title: `A call to another process, ${IN_FLIGHT} in flight`,
  rows: peers.map(({ peer, started }) =>
    callRow(
      peer,
      together(IN_FLIGHT, () => started.add(1, 2)),
      { expected: new Array(IN_FLIGHT).fill(3), calls: IN_FLIGHT, atLeast: 5 },
    ),
  ),
  goals: [{ against: 'bare process.send', faster: 3 }],
  noneFaster: true,
  close,
} satisfies Benchmark
