// Transfers nothing (`post` gets the message alone), makes no objects there, doesn't block.
import { Worker } from 'node:worker_threads'
import { createBirpc } from 'birpc'
import type { Peer } from '../peer.js'
import type { Functions } from './birpc-worker.js'

export interface CallersFunctions {
  heard(x: number): number
}

export const birpc: Peer = {
  name: 'birpc',
  async start() {
    const worker = new Worker(new URL('./birpc-worker.js', import.meta.url))
    let heard: (x: number) => number
    const rpc = createBirpc<Functions, CallersFunctions>(
      { heard: (x) => heard(x) },
      { post: (data) => worker.postMessage(data), on: (receive) => worker.on('message', receive) },
    )
    return {
      add: (a, b) => rpc.add(a, b),
      echo: <T>(value: T) => rpc.echo(value) as Promise<T>,
      listen: async (listener) => void (heard = listener),
      callBack: (x) => rpc.callBack(x),
      close: async () => {
        rpc.$close()
        await worker.terminate()
      },
    }
  },
}
