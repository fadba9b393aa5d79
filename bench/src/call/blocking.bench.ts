import { strictEqual } from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Benchmark, Row } from '../benchmark.js'
import { timed } from '../timed.js'
import { SETTLE, UNCOUNTED, WARM_UP } from './call-row.js'
import type { Peer } from './peer.js'
import { startPeers } from './peers.js'

const { peers, close } = await startPeers([])
/** A sample has so many calls at least, and takes about so many milliseconds. */
const AT_LEAST = 300
const SAMPLE = 30

/**
 * No sample begins with threads that have been asleep while other rows were sampled: the first calls of each aren't
 * measured, as with calls that are awaited.
 */
function blockingRow({ name, role }: Peer, time: (times: number) => PromiseLike<number>): Row {
  let times = 0
  return {
    name,
    role,
    async run() {
      if (times === 0) {
        times = AT_LEAST
        const deadline = performance.now() + WARM_UP
        while (performance.now() < deadline) await time(AT_LEAST)
      }
      await pause(SETTLE)
      await time(Math.round(times * UNCOUNTED))
      const each = await time(times)
      times = Math.max(Math.round((SAMPLE * 1e6) / each), AT_LEAST)
      return each
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
