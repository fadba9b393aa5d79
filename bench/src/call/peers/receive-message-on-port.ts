import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Peer } from '../peer.js'

/** A blocking call by hand: the answer is a message, and a word of shared memory tells that it is there. */
export const receivingOnPort: Peer = {
  name: 'receiveMessageOnPort',
  async start() {
    const answered = new Int32Array(new SharedArrayBuffer(4))
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(new URL('./receive-message-on-port-worker.js', import.meta.url), {
      workerData: { answered, port: port2 },
      transferList: [port2],
    })
    return {
      addBlocking(a, b) {
        port1.postMessage([a, b])
        Atomics.wait(answered, 0, 0)
        Atomics.store(answered, 0, 0)
        return receiveMessageOnPort(port1)!.message
      },
      close: async () => {
        port1.close()
        await worker.terminate()
      },
    }
  },
}
