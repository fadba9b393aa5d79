// No callbacks, no objects made there, nothing that blocks the caller.
import { Piscina } from 'piscina'
import type { Peer } from '../peer.js'

export const piscina: Peer = {
  name: 'piscina',
  async start() {
    const one = new Piscina({
      filename: new URL('./piscina-worker.js', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 64,
    })
    return {
      add: (a, b) => one.run([a, b], { name: 'addBoth' }),
      echo: (value) => one.run(value, { name: 'echo' }),
      move: (bytes) => one.run(bytes, { name: 'moveBack', transferList: [bytes.buffer] }),
      close: () => one.destroy(),
    }
  },
}
