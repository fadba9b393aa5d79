// No callbacks, no objects made there, nothing that blocks: functions of the worker are all that it reaches.
// @ts-expect-error its types aren't exported
import { spawn, Thread, Transfer, Worker } from 'threads'
import type { Peer } from '../peer.js'
import type { Api } from './threads-worker.js'

/** What `spawn` makes of the worker's functions. */
type Spawned = { [Name in keyof Api]: (...args: unknown[]) => Promise<any> }

export const threads: Peer = {
  name: 'threads',
  async start() {
    const worker = new Worker('./threads-worker.js')
    worker.setMaxListeners(0) // it adds a listener for every call in flight
    const api: Spawned = await spawn(worker)
    return {
      add: (a, b) => api.add(a, b),
      echo: (value) => api.echo(value),
      move: (bytes) => api.move(Transfer(bytes, [bytes.buffer])),
      close: () => Thread.terminate(api),
    }
  },
}
