import type { Benchmark } from '../benchmark.js'
import { callRow } from '../call/call-row.js'
import { nestedObject } from '../call/payloads.js'
import { startPeers } from '../call/peers.js'
import { processPeers } from './process-peers.js'

const { peers, close } = await startPeers(['echo'], processPeers)

export default {
  title: 'A nested object of 1 kB, to another process and back',
  rows: peers.map(({ peer, started }) => callRow(peer, () => started.echo(nestedObject), { expected: nestedObject })),
  goals: [{ against: 'bare process.send', faster: 1 }],
  noneFaster: true,
  close,
} satisfies Benchmark
