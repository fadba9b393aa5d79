import { Worker } from 'node:worker_threads'
import { dispose, FreeThreaded, nonBlocking, Shared } from '@flatshare/free-threaded'
import { wrap } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { type Benchmark, nanosecondsEach } from './benchmark.js'
import type { Counter } from './free-call-worker.js'
import { timed } from './timed.js'

@FreeThreaded()
class SharedCounter {
  @Shared('f64') total = 0

  add(amount: number): number {
    this.total += amount
    return this.total
  }
}

const worker = new Worker(new URL('./free-call-worker.js', import.meta.url))
const remote = wrap<Counter>(nodeEndpoint(worker))
const shared = new SharedCounter()
const later = nonBlocking(shared)

export default {
  title: 'Adding to a counter that several threads use: a message, or a lock',
  rows: [
    {
      name: 'a locked method of a free-threaded counter',
      run: () =>
        timed(200_000, (times) => {
          for (let i = 0; i < times; i++) shared.add(1)
        }),
    },
    { name: 'its promise form, nonBlocking(counter).add', run: () => nanosecondsEach(20_000, () => later.add(1)) },
    {
      name: 'comlink: a call to the thread that has the counter',
      run: () => nanosecondsEach(1000, () => remote.add(1)),
    },
  ],
  async close() {
    await worker.terminate()
    dispose(shared)
  },
} satisfies Benchmark
