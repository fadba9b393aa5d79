import type { Benchmark } from '../benchmark.js'
import { callRow } from './call-row.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers(['listen', 'callBack'])
for (const { started } of peers) await started.listen((x) => x + 1)

export default {
  title: 'A call that calls the caller back',
  rows: peers.map(({ peer, started }) => callRow(peer, () => started.callBack(1), { expected: 2 })),
  noneFaster: true,
  close,
} satisfies Benchmark
