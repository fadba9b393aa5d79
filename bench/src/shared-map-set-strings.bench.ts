import { SharedMap } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { ENTRIES, jsonBufferRow, names, TIMES } from './shared-map-peer.js'
import { timed } from './timed.js'

const entries = names.map((name, i) => [name, i + 0.5] as const)
const plain = new Map(entries)
const shared = new SharedMap({ key: 'string', value: 'f64' }, entries)

export default {
  title: 'A map from strings to numbers: set',
  rows: [
    {
      name: 'Map (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) plain.set(names[i % ENTRIES]!, i + 0.25)
        }),
    },
    {
      name: 'SharedMap',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) shared.set(names[i % ENTRIES]!, i + 0.25)
        }),
    },
    ...jsonBufferRow('set', entries, (buffer, i) => {
      buffer[names[i % ENTRIES]!] = i + 0.25
    }),
  ],
  close: () => shared[Symbol.dispose](),
} satisfies Benchmark
