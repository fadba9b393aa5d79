import { SharedMap } from '@flatshare/free-threaded'
import type { Benchmark } from './benchmark.js'
import { ENTRIES, jsonBufferRow, names, type Page, page, TIMES } from './shared-map-peer.js'
import { keep, timed } from './timed.js'

const entries = names.map((name, i) => [name, page(i)] as const)
const plain = new Map(entries)
const texts = new Map(names.map((name, i) => [name, JSON.stringify(page(i))]))
const shared = new SharedMap<string, Page>({ key: 'string', value: 'json' }, entries)

export default {
  title: 'A map from strings to objects: get, and read two properties',
  rows: [
    {
      name: 'Map (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) {
            const { id, title } = plain.get(names[i % ENTRIES]!)!
            sum += id + title.length
          }
          keep(sum)
        }),
    },
    {
      name: 'Map of JSON texts (one thread only)',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) {
            const { id, title } = JSON.parse(texts.get(names[i % ENTRIES]!)!) as Page
            sum += id + title.length
          }
          keep(sum)
        }),
    },
    {
      name: 'SharedMap, what nobody has changed since the last get',
      run: () =>
        timed(TIMES, (times) => {
          let sum = 0
          for (let i = 0; i < times; i++) {
            const { id, title } = shared.get(names[i % ENTRIES]!)!
            sum += id + title.length
          }
          keep(sum)
        }),
    },
    {
      name: 'SharedMap, what has been set anew',
      async run() {
        let [sum, total] = [0, 0]
        const rounds = 50
        for (let round = 0; round < rounds; round++) {
          for (const [name, value] of entries) shared.set(name, value)
          total += await timed(ENTRIES, () => {
            for (const name of names) {
              const { id, title } = shared.get(name)!
              sum += id + title.length
            }
          })
        }
        keep(sum)
        return total / rounds
      },
    },
    ...jsonBufferRow('get', entries, (buffer, i) => {
      const { id, title } = buffer[names[i % ENTRIES]!]!
      keep(id + title.length)
    }),
  ],
  close: () => shared[Symbol.dispose](),
} satisfies Benchmark
