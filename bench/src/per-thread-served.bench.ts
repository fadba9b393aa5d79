// What a per-thread field of an object that lives on one thread costs where calls of other threads are served and followed
// across `await`: the caller is looked up each time.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { runCall, trackAcrossAwait } from '@flatshare/core/internal'
import { PerThread, ThreadAware, threadContext } from '@flatshare/thread-aware'
import type { Benchmark } from './benchmark.js'
import { keep, timed } from './timed.js'

class Cursor {
  position = 1
}

@ThreadAware()
class Table {
  @PerThread(() => new Cursor()) cursor!: Cursor
}

const [workerData, transferList] = marshal(undefined)
const worker = new Worker(new URL('./per-thread-caller.js', import.meta.url), { workerData, transferList })
const [caller] = (await once(worker, 'message')) as [number]
trackAcrossAwait()

const TIMES = 1_000_000
const table = new Table()
const call = { caller, path: [], signal: new AbortController().signal, deadline: undefined }

function read(times: number): void {
  let sum = 0
  for (let i = 0; i < times; i++) sum += table.cursor.position
  keep(sum)
}

function readContext(times: number): void {
  const { cursor } = threadContext<{ cursor: Cursor }>(table)
  let sum = 0
  for (let i = 0; i < times; i++) sum += cursor.position
  keep(sum)
}

export default {
  title: 'A per-thread field of an object that serves calls of other threads',
  rows: [
    { name: 'in a call', run: () => timed(TIMES, (times) => runCall(call, () => read(times))) },
    { name: 'at home', role: 'variant', run: () => timed(TIMES, read) },
    {
      name: 'in a call, taken from its context once',
      role: 'variant',
      run: () => timed(TIMES, (times) => runCall(call, () => readContext(times))),
    },
  ],
  close: async () => void (await worker.terminate()),
} satisfies Benchmark
