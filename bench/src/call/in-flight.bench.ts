import type { Benchmark } from '../benchmark.js'
import { callRow, together } from './call-row.js'
import { allPeers, startPeers } from './peers.js'

const IN_FLIGHT = 64

const { peers, close } = await startPeers(['add'], allPeers)

export default {
  title: `A call to another thread, ${IN_FLIGHT} in flight`,
  rows: peers.map(({ peer, started }) =>
    callRow(
      peer,
      together(IN_FLIGHT, () => started.add(1, 2)),
      { expected: new Array(IN_FLIGHT).fill(3), calls: IN_FLIGHT, atLeast: 5 },
    ),
  ),
  goals: [
    { against: 'comlink', faster: 15 },
    { against: 'bare postMessage', faster: 2 },
  ],
  noneFaster: true,
  close,
} satisfies Benchmark
