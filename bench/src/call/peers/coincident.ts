// It is made for browsers: here a worker of Node's in the shape of theirs. It blocks in workers alone, so its blocking
// call is one of the worker's to the main thread, and so is its callback. It moves what goes there, and copies what
// comes back; it makes no objects there.
import { Worker as NodeWorker, type Transferable, type WorkerOptions } from 'node:worker_threads'
import type { Peer } from '../peer.js'

class WebWorker {
  readonly #worker: NodeWorker

  constructor(url: URL, options: WorkerOptions) {
    this.#worker = new NodeWorker(url, options)
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer)
  }

  terminate(): Promise<number> {
    return this.#worker.terminate()
  }
}

/** It takes the global `Worker` when its module is loaded; nobody else shall see one. */
async function load(): Promise<any> {
  const { Worker } = globalThis
  globalThis.Worker = WebWorker as unknown as typeof Worker
  try {
    // @ts-expect-error it has no types of its own
    return (await import('coincident/main')).default()
  } finally {
    globalThis.Worker = Worker
  }
}

let loaded: Promise<any> | undefined

export const coincident: Peer = {
  name: 'coincident',
  async start() {
    const { Worker } = await (loaded ??= load())
    const worker = new Worker(new URL('./coincident-worker.js', import.meta.url))
    const { proxy } = worker
    const { add } = await import('../work.js')
    proxy.add = add
    return {
      add: (a, b) => proxy.addThere(a, b),
      timeBlocking: (times) => proxy.timeBlocking(times),
      echo: (value) => proxy.echo(value),
      listen: async (listener) => void (proxy.heard = listener),
      callBack: (x) => proxy.callBack(x),
      close: async () => void (await worker.terminate()),
    }
  },
}
