// Numbers are all that it carries, so it has calls of `add`, blocking or not, and the callback.
import { Worker } from 'node:worker_threads'
import type { Peer } from '../peer.js'
import { ADD, ANSWER, CALL_BACK, RING_BYTES, Ring } from './ring.js'

const IN_FLIGHT = 256

/** The limit: two rings in shared memory, and threads that spin while they expect something. */
export const bareRing: Peer = {
  name: 'bare ring',
  role: 'limit',
  async start() {
    const memories = [new SharedArrayBuffer(RING_BYTES), new SharedArrayBuffer(RING_BYTES)] as const
    const worker = new Worker(new URL('./bare-ring-worker.js', import.meta.url), { workerData: memories })
    const [there, back] = [new Ring(memories[0]), new Ring(memories[1])]

    const awaited = new Array<((result: number) => void) | undefined>(IN_FLIGHT).fill(undefined)
    let lastId = 0
    let inFlight = 0
    let pumping = false
    let woke = false // whoever spins after a wake-up delays the thread that was woken
    let heard: (x: number) => number

    const ask = (kind: number, x: number, y: number) =>
      new Promise<number>((resolve) => {
        lastId = (lastId + 1) % IN_FLIGHT
        awaited[lastId] = resolve
        inFlight++
        if (there.write(kind, lastId, x, y)) woke = true
        if (!pumping) pumpSoon()
      })

    /** Once whoever got an answer has gone on, and made his next calls. */
    function pumpSoon(): void {
      pumping = true
      queueMicrotask(() => process.nextTick(pump))
    }

    function pump(): void {
      const spun = !woke && back.spin()
      woke = false
      if (!spun) return void back.wait().then(takeAndGoOn)
      takeAndGoOn()
    }

    function takeAndGoOn(): void {
      take()
      if (inFlight > 0) pumpSoon()
      else pumping = false
    }

    function take(): void {
      while (back.read()) {
        const { kind, id, x } = back
        if (kind === CALL_BACK) {
          if (there.write(ANSWER, id, heard(x), 0)) woke = true
        } else {
          inFlight--
          awaited[id]!(x)
        }
      }
    }

    return {
      add: (a, b) => ask(ADD, a, b),
      addBlocking(a, b) {
        const wake = there.write(ADD, 0, a, b)
        if (wake || !back.spin()) back.sleep()
        back.read()
        return back.x
      },
      listen: async (listener) => void (heard = listener),
      callBack: (x) => ask(CALL_BACK, x, 0),
      close: async () => void (await worker.terminate()),
    }
  },
}
