import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { text } from './payloads.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['echo'])

export default {
  title: 'A string of 10 kB, there and back',
  rows: peers.map(({ peer, started }) => callRow(peer, () => started.echo(text), { expected: text })),
  noneFaster: true,
  close,
} satisfies Benchmark
