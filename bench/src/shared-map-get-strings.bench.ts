import { SharedMap } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { ENTRIES, jsonBufferRow, names, TIMES } from './shared-map-peer.js'
import { keep, timed } from './timed.js'

const entries = names.map((name, i) => [name, i + 0.5] as const)
const plain = new Map(entries)
const shared = new SharedMap({ key: 'string', value: 'f64' }, entries)

export default {
  title: 'A map from strings to numbers: get',
  rows: [
    {
      name: 'Map (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += plain.get(names[i % ENTRIES]!)!
          keep(sum)
        }),
    },
    {
      name: 'SharedMap',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) sum += shared.get(names[i % ENTRIES]!)!
          keep(sum)
        }),
    },
    ...jsonBufferRow('get', entries, (buffer, i) => keep(buffer[names[i % ENTRIES]!])),
  ],
  close: () => shared[Symbol.dispose](),
} satisfies Benchmark
