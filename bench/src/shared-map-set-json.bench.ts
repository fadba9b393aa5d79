import { SharedMap } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { ENTRIES, jsonBufferRow, names, type Page, page, TIMES } from './shared-map-peer.js'
import { timed } from './timed.js'

const entries = names.map((name, i) => [name, page(i)] as const)
const plain = new Map(entries)
const texts = new Map<string, string>()
const shared = new SharedMap<string, Page>({ key: 'string', value: 'json' }, entries)

export default {
  title: 'A map from strings to objects: make an object, set',
  rows: [
    {
      name: 'Map (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) plain.set(names[i % ENTRIES]!, page(i))
        }),
    },
    {
      name: 'Map of JSON texts (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) texts.set(names[i % ENTRIES]!, JSON.stringify(page(i)))
        }),
    },
    {
      name: 'SharedMap',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) shared.set(names[i % ENTRIES]!, page(i))
        }),
    },
    ...jsonBufferRow<Page>('set', entries, (buffer, i) => {
      buffer[names[i % ENTRIES]!] = page(i)
    }),
  ],
  close: () => shared[Symbol.dispose](),
} satisfies Benchmark
