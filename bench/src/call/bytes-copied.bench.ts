import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { bytes } from './payloads.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['echo'])

const megabyte = bytes()

export default {
  title: 'A Uint8Array of 1 MB, copied there and back',
  rows: peers.map(({ peer, started }) =>
    callRow(peer, () => started.echo(megabyte), { expected: megabyte, atLeast: 10 }),
  ),
  goals: [{ against: 'bare postMessage', within: 1.2 }],
  noneFaster: true,
  close,
} satisfies Benchmark
