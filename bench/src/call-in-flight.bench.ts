import { type Benchmark, nanosecondsEach } from './benchmark.js'
import { startPeers } from './call-peers.js'

const IN_FLIGHT = 64

const { peers, close } = await startPeers()

export default {
  title: `a call to another thread, ${IN_FLIGHT} in flight`,
  rows: peers.map(({ name, add }) => ({
    name,
    run: async () =>
      (await nanosecondsEach(30, () => Promise.all(Array.from({ length: IN_FLIGHT }, () => add(1, 2))))) / IN_FLIGHT,
  })),
  close,
} satisfies Benchmark
