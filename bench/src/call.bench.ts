import { type Benchmark, nanosecondsEach } from './benchmark.js'
import { startPeers } from './call-peers.js'

const { peers, close } = await startPeers()

export default {
  title: 'a call to another thread, one after another',
  rows: peers.map(({ name, add }) => ({ name, run: () => nanosecondsEach(500, () => add(1, 2)) })),
  close,
} satisfies Benchmark
