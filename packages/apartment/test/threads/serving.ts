/** A worker of the tests' own: it calls `serve`, and has messages of its own beside. */
import { parentPort } from 'node:worker_threads'
import { connect, serve } from '@flatshare/apartment'

interface Parent {
  add(a: number, b: number): number
}

serve({
  resize: (x: number) => x * 2,
  fail: () => {
    setImmediate(() => {
      throw new Error('failed on purpose')
    })
    return new Promise(() => {})
  },
  /** Calls what its parent serves. */
  viaParent: async (a: number, b: number) => {
    const parent = await connect<Parent>(parentPort!)
    return parent.add(a, b)
  },
  Counter: class {
    #n = 0
    next() {
      return ++this.#n
    }
  },
})

parentPort!.on('message', (message) => {
  if (message?.flatshare === undefined) parentPort!.postMessage({ echo: message })
})
