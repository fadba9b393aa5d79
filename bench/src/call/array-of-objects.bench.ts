import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { objects } from './payloads.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['echo'])

export default {
  title: 'An array of 100 objects, there and back',
  rows: peers.map(({ peer, started }) =>
    callRow(peer, () => started.echo(objects), { expected: objects, atLeast: 100 }),
  ),
  noneFaster: true,
  close,
} satisfies Benchmark
