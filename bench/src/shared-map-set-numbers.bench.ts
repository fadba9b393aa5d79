import { SharedMap } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { ENTRIES, TIMES } from './shared-map-peer.js'
import { timed } from './timed.js'

const entries = Array.from({ length: ENTRIES }, (_, i) => [i * 7, i + 0.5] as const)
const plain = new Map(entries)
const shared = new SharedMap({ key: 'u32', value: 'f64' }, entries)

export default {
  title: 'A map from numbers to numbers: set',
  rows: [
    {
      name: 'Map (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) plain.set((i % ENTRIES) * 7, i + 0.25)
        }),
    },
    {
      name: 'SharedMap',
      run: () =>
        timed(TIMES, (times) => {
          for (let i = 0; i < times; i++) shared.set((i % ENTRIES) * 7, i + 0.25)
        }),
    },
  ],
  close: () => shared[Symbol.dispose](),
} satisfies Benchmark
