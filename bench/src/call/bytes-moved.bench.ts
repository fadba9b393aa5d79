import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { bytes } from './payloads.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['move'])
const megabyte = bytes()

export default {
  title: 'A Uint8Array of 1 MB, transferred there and back',
  rows: peers.map(({ peer, started }) => {
    let here = bytes()
    return callRow(peer, async () => (here = await started.move(here)), { expected: megabyte })
  }),
  goals: [{ against: 'bare postMessage', within: 1.1 }],
  noneFaster: true,
  close,
} satisfies Benchmark
