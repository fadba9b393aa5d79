import type { Benchmark } from '../benchmark.js'
import { callRow, processorTime } from './call-row.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['add'])

export default {
  title: 'Processor time of a call, one after another, of all threads (µs a call: seconds per 10⁶ calls)',
  rows: peers.map(({ peer, started }) =>
    callRow(peer, () => started.add(1, 2), { expected: 3, milliseconds: 40, clock: processorTime }),
  ),
  noneFaster: true,
  close,
} satisfies Benchmark
