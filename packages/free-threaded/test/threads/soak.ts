// A thread of the soak: see `soak/soak.ts`.
import { parentPort } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { random } from '../../../core/dist-test/random.js'
import { act, checkWorld, World } from '../soak/world.js'

interface Order {
  readonly packets: unknown[]
  readonly seed: number
  readonly stop: Int32Array
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
/** How many operations are done between two messages. */
const AT_ONCE = 500

parentPort!.once('message', async ({ packets, seed, stop }: Order) => {
  const world = World.from(packets.map((packet) => unmarshal<object>(packet as never)))
  if (seed === 0) checkWorld(world)
  else {
    const next = random(seed)
    while (Atomics.load(stop, 0) === 0) {
      for (let i = 0; i < AT_ONCE; i++) act(world, next)
      parentPort!.postMessage(AT_ONCE)
      // Handles that are garbage are given up by the event loop.
      await turn()
    }
  }
  parentPort!.postMessage(0)
})
