import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { dispose, heapStatistics, ref, SharedVector } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import type { Handles, Task } from './shared-heap-million-worker.js'
import { Item, PlainItem } from './shared-heap-objects.js'

const TIMES = 1_000_000
/** Collecting handles as garbage takes a second turn, and long. */
const TIMES_LEFT = 100_000

const worker = new Worker(new URL('./shared-heap-million-worker.js', import.meta.url))

async function reply(times: number): Promise<void> {
  const [sum] = (await once(worker, 'message')) as [number]
  const expected = (times * (times - 1)) / 2
  if (sum !== expected) throw new Error(`The other thread has added the ids up to ${sum}, not ${expected}.`)
}

/** Nanoseconds for each of all objects, from the first `new` until they are gone. */
async function each(times: number, live: () => Promise<void>): Promise<number> {
  const started = process.hrtime.bigint()
  await live()
  return Number(process.hrtime.bigint() - started) / times
}

/** All of it with free-threaded objects; `letGo` is what each thread does with a handle that it needs no more. */
async function live(times: number, handles: Handles, letGo: (object: object) => void): Promise<void> {
  const items = new SharedVector({ of: ref(Item) }) as SharedVector<Item, Item>
  for (let i = 0; i < times; i++) {
    const item = new Item()
    item.give(i)
    items.push(item)
    letGo(item)
  }
  const [packet, transferList] = marshal(items)
  worker.postMessage({ packet, handles } satisfies Task, transferList)
  await reply(times)
  letGo(items)
}

/** What of the heap is in use. */
function used() {
  const { objects, bytesUsed } = heapStatistics()
  return { objects, bytesUsed }
}

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

/** Throws where any of the objects is left, or more than a megabyte. */
function expectGone(before: ReturnType<typeof used>): void {
  const [objects, bytes] = [used().objects - before.objects, used().bytesUsed - before.bytesUsed]
  if (objects > 0 || bytes > 1e6) throw new Error(`${objects} objects and ${bytes} bytes of the heap are still there.`)
}

export default {
  title: 'A million objects: made, put into one list, read by a second thread, gone; time for each',
  rows: [
    {
      name: 'plain objects in an array, postMessage',
      run: () =>
        each(TIMES, async () => {
          const items = Array.from({ length: TIMES }, (_, i) => {
            const item = new PlainItem()
            item.give(i)
            return item
          })
          worker.postMessage(items)
          await reply(TIMES)
        }),
    },
    {
      name: 'free-threaded objects in a SharedVector, dispose',
      async run() {
        const before = used()
        const time = await each(TIMES, () => live(TIMES, 'dispose', dispose))
        expectGone(before)
        return time
      },
    },
    {
      name: 'free-threaded objects in a SharedVector, 100,000 of them left to garbage collection',
      async run() {
        const before = used()
        const time = await each(TIMES_LEFT, async () => {
          await live(TIMES_LEFT, 'leave', () => {})
          await collect(before.objects)
        })
        expectGone(before)
        return time
      },
    },
  ],
  close: async () => void (await worker.terminate()),
} satisfies Benchmark
