import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['create'])

export default {
  title: 'An object made on another thread, and let go of',
  rows: peers.map(({ peer, started }) => callRow(peer, () => started.create(), { expected: undefined })),
  noneFaster: true,
  close,
} satisfies Benchmark
