import type { Benchmark } from '../benchmark.js'
import { callRow, processorTime, together } from './call-row.js'
import { startPeers } from './peers.js'

const IN_FLIGHT = 64

const { peers, close } = await startPeers(['add'])

export default {
  title: `Processor time of a call, ${IN_FLIGHT} in flight, of all threads (µs a call: seconds per 10⁶ calls)`,
  rows: peers.map(({ peer, started }) =>
    callRow(
      peer,
      together(IN_FLIGHT, () => started.add(1, 2)),
      {
        expected: new Array(IN_FLIGHT).fill(3),
        calls: IN_FLIGHT,
        atLeast: 5,
        milliseconds: 40,
        clock: processorTime,
      },
    ),
  ),
  noneFaster: true,
  close,
} satisfies Benchmark
