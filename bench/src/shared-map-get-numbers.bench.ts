import { SharedMap } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { ENTRIES, TIMES } from './shared-map-peer.js'
import { keep, timed } from './timed.js'

const entries = Array.from({ length: ENTRIES }, (_, i) => [i * 7, i + 0.5] as const)
const plain = new Map(entries)
const shared = new SharedMap({ key: 'u32', value: 'f64' }, entries)

export default {
  title: 'A map from numbers to numbers: get',
  rows: [
    {
      name: 'Map (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += plain.get((i % ENTRIES) * 7)!
          keep(sum)
        }),
    },
    {
      name: 'SharedMap',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += shared.get((i % ENTRIES) * 7)!
          keep(sum)
        }),
    },
  ],
  close: () => shared[Symbol.dispose](),
} satisfies Benchmark
