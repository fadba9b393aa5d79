import { marshal, unmarshal } from '@flatshare/core'
import { dispose, heapStatistics } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { FIELD_BYTES, Item, PlainItem } from './shared-heap-objects.js'
import { keep, timed } from './timed.js'

const TIMES = 20_000
/** So that its sample takes some milliseconds too. */
const TIMES_PLAIN = 200_000

/** Bytes that the heap takes for an object, less what its fields take; `use` is called with each of them first. */
function overhead(use: (item: Item) => void): number {
  const before = heapStatistics()
  const items = Array.from({ length: TIMES }, (_, i) => {
    const item = new Item()
    item.give(i)
    use(item)
    return item
  })
  const bytes = heapStatistics().bytesUsed - before.bytesUsed
  items.forEach(dispose)
  return Math.round(bytes / TIMES) - FIELD_BYTES
}

/** Handles that were collected as garbage give up what they hold in a task of their own. */
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve))

const ofItsOwn = overhead(() => {})
const shared = overhead((item) => void unmarshal(marshal(item)[0]))

export default {
  title:
    'Making an object with four fields, and a first call. Beyond its fields a free-threaded one takes ' +
    `${ofItsOwn} bytes of shared memory, and ${shared} once it has crossed`,
  rows: [
    {
      name: 'a plain object',
      run: () =>
        timed(TIMES_PLAIN, (times) => {
          for (let i = 0; i < times; i++) {
            const item = new PlainItem()
            item.give(i)
            keep(item)
          }
        }),
    },
    {
      name: 'a free-threaded object, left to garbage collection',
      async run() {
        await settled()
        return timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) {
            const item = new Item()
            item.give(i)
            keep(item)
          }
        })
      },
    },
    {
      name: 'a free-threaded object, and dispose',
      async run() {
        await settled()
        return timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) {
            const item = new Item()
            item.give(i)
            dispose(item)
          }
        })
      },
    },
    {
      name: 'to compare: a SharedArrayBuffer of its own, and its view',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) {
            const item = new Float64Array(new SharedArrayBuffer(FIELD_BYTES))
            item[0] = i
            keep(item)
          }
        }),
    },
  ],
} satisfies Benchmark
