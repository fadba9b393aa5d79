// No callbacks (its events have no answer), no objects made there, nothing that blocks. A worker of its pool has one
// call at a time: what is in flight waits in the pool.
import { fileURLToPath } from 'node:url'
import { pool } from 'workerpool'
import type { Peer } from '../peer.js'

export const workerpool: Peer = {
  name: 'workerpool',
  async start() {
    const one = pool(fileURLToPath(new URL('./workerpool-worker.js', import.meta.url)), {
      workerType: 'thread',
      minWorkers: 1,
      maxWorkers: 1,
    })
    return {
      add: (a, b) => one.exec('add', [a, b]) as PromiseLike<number>,
      echo: <T>(value: T) => one.exec('echo', [value]) as PromiseLike<T>,
      move: (bytes) => one.exec('move', [bytes], { transfer: [bytes.buffer] }) as PromiseLike<Uint8Array<ArrayBuffer>>,
      close: async () => void (await one.terminate(true)),
    }
  },
}
