// Transfers nothing, doesn't block.
import { MessageChannel, Worker } from 'node:worker_threads'
import { newMessagePortRpcSession } from 'capnweb'
import type { Peer } from '../peer.js'
import type { Api } from './capnweb-worker.js'

export const capnweb: Peer = {
  name: 'capnweb',
  async start() {
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(new URL('./capnweb-worker.js', import.meta.url), {
      workerData: port2,
      transferList: [port2],
    })
    const api = newMessagePortRpcSession<Api>(port1 as unknown as MessagePort)
    return {
      add: (a, b) => api.add(a, b),
      echo: <T>(value: T) => api.echo(value) as unknown as PromiseLike<T>,
      listen: (listener) => api.listen(listener),
      callBack: (x) => api.callBack(x),
      create: async () => (await api.create(1))[Symbol.dispose](),
      close: async () => {
        port1.close()
        await worker.terminate()
      },
    }
  },
}
