import { strictEqual } from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Benchmark, Row } from '../benchmark.js'
import { timed } from '../timed.js'
import type { Peer } from './peer.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers([])
const WARM_UP = 2000
const TIMES = 300

/** Its samples begin like those of calls that are awaited: with calls that aren't measured. */
function blockingRow({ name, role }: Peer, time: (times: number) => PromiseLike<number>): Row {
  let warm = false
  return {
    name,
    role,
    async run() {
      await pause(2)
      await time(warm ? 20 : WARM_UP)
      warm = true
      return time(TIMES)
    },
  }
}

export default {
  title: 'A blocking call to another thread',
  rows: peers.flatMap(({ peer, started: { addBlocking, timeBlocking } }) => {
    if (timeBlocking) return blockingRow(peer, timeBlocking) // a call of the worker to this thread
    if (!addBlocking) return []
    strictEqual(addBlocking(1, 2), 3)
    return blockingRow(peer, (times) =>
      timed(times, (times) => {
        for (let i = 0; i < times; i++) addBlocking(1, 2)
      }),
    )
  }),
  goals: [{ against: 'synckit', faster: 25 }],
  noneFaster: true,
  close,
} satisfies Benchmark
