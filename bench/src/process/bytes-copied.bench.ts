import type { Benchmark } from '../benchmark.js'
import { callRow } from '../call/call-row.js'
import { bytes } from '../call/payloads.js'
import { startPeers } from '../call/peers.js'
import { processPeers } from './process-peers.js'

const { peers, close } = await startPeers(['echo'], processPeers)

const megabyte = bytes()

export default {
  title: 'A Uint8Array of 1 MB, to another process and back',
  rows: peers.map(({ peer, started }) =>
    callRow(peer, () => started.echo(megabyte), { expected: megabyte, atLeast: 10 }),
  ),
  goals: [{ against: 'bare process.send', faster: 1 }],
  noneFaster: true,
  close,
} satisfies Benchmark
