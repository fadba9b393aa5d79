import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { dispose, heapStatistics, ref, SharedVector } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import type { Handles, Task } from './shared-heap-million-worker.js'
import { Item, PlainItem } from './shared-heap-objects.js'

const TIMES = 1_000_000
const SUM = (TIMES * (TIMES - 1)) / 2

const worker = new Worker(new URL('./shared-heap-million-worker.js', import.meta.url))

async function reply(): Promise<void> {
  const [sum] = (await once(worker, 'message')) as [number]
  if (sum !== SUM) throw new Error(`The other thread has added the ids up to ${sum}, not ${SUM}.`)
}

/** Nanoseconds for each of all objects, from the first `new` until they are gone. */
async function each(live: () => Promise<void>): Promise<number> {
  const started = process.hrtime.bigint()
  await live()
  return Number(process.hrtime.bigint() - started) / TIMES
}

/** All of it with free-threaded objects; `letGo` is what each thread does with a handle that it needs no more. */
async function live(handles: Handles, letGo: (object: object) => void): Promise<void> {
  const items = new SharedVector({ of: ref(Item) })
  for (let i = 0; i < TIMES; i++) {
    const item = new Item()
    item.give(i)
    items.push(item)
    letGo(item)
  }
  const [packet, transferList] = marshal(items)
  worker.postMessage({ packet, handles } satisfies Task, transferList)
  await reply()
  letGo(items)
}

/** What of the heap is in use. */
const used = ({ objects, bytesUsed } = heapStatistics()) => ({ objects, bytesUsed })

/** Has this thread and the other one collect what they don't hold any more, until it is gone. */
async function collect(objects: number): Promise<void> {
  for (let turns = 0; turns < 100 && used().objects > objects; turns++) {
    worker.postMessage('collect')
    gc!()
    await once(worker, 'message')
    // What was collected as garbage gives up what it held in a task of its own.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Throws where any of the million is left, or the memory of a hundredth of them. */
function expectGone(before: ReturnType<typeof used>): void {
  const [objects, bytes] = [used().objects - before.objects, used().bytesUsed - before.bytesUsed]
  if (objects > 0 || bytes > TIMES)
    throw new Error(`${objects} objects and ${bytes} bytes of the heap are still there.`)
}

export default {
  title: 'A million objects: made, put into one list, read by a second thread, gone; time for each',
  rows: [
    {
      name: 'plain objects in an array, postMessage',
      run: () =>
        each(async () => {
          const items = Array.from({ length: TIMES }, (_, i) => {
            const item = new PlainItem()
            item.give(i)
            return item
          })
          worker.postMessage(items)
          await reply()
        }),
    },
    {
      name: 'free-threaded objects in a SharedVector, dispose',
      async run() {
        const before = used()
        const time = await each(() => live('dispose', dispose))
        expectGone(before)
        return time
      },
    },
    {
      name: 'free-threaded objects in a SharedVector, left to garbage collection',
      async run() {
        const before = used()
        const time = await each(async () => {
          await live('leave', () => {})
          await collect(before.objects)
        })
        expectGone(before)
        return time
      },
    },
  ],
  close: async () => void (await worker.terminate()),
} satisfies Benchmark
