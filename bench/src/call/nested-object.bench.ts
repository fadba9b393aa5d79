import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { nestedObject } from './payloads.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['echo'])

export default {
  title: 'A nested object of 1 kB, there and back',
  rows: peers.map(({ peer, started }) => callRow(peer, () => started.echo(nestedObject), { expected: nestedObject })),
  goals: [{ against: 'comlink', faster: 3 }],
  noneFaster: true,
  close,
} satisfies Benchmark
