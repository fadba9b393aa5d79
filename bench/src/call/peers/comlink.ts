import { Worker } from 'node:worker_threads'
import { proxy, releaseProxy, transfer, wrap } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { Peer } from '../peer.js'
import type { Api } from './comlink-worker.js'

export const comlink: Peer = {
  name: 'comlink',
  async start() {
    const worker = new Worker(new URL('./comlink-worker.js', import.meta.url))
    const api = wrap<Api>(nodeEndpoint(worker))
    return {
      add: (a, b) => api.add(a, b),
      echo: <T>(value: T) => api.echo(value) as Promise<T>,
      move: (bytes) => api.move(transfer(bytes, [bytes.buffer])),
      listen: (listener) => api.listen(proxy(listener)),
      callBack: (x) => api.callBack(x),
      create: async () => (await new api.Counter(1))[releaseProxy](),
      close: async () => void (await worker.terminate()),
    }
  },
}
