/** What a link to another process might encode by: a nested object of 1 kB to bytes, or a text, and back. */
import { deepStrictEqual } from 'node:assert/strict'
import { deserialize, serialize } from 'node:v8'
import { Packr } from 'msgpackr'
import { fromJSON, toJSON } from 'seroval'
import { type Benchmark, nanosecondsEach } from '../benchmark.js'
import { nestedObject } from '../call/payloads.js'

const packr = new Packr({ structuredClone: true, moreTypes: true })

const codecs: Record<string, (x: object) => unknown> = {
  'node:v8': (x) => deserialize(serialize(x)),
  'msgpackr, structuredClone': (x) => packr.unpack(packr.pack(x)),
  'seroval, by JSON': (x) => fromJSON(JSON.parse(JSON.stringify(toJSON(x)))),
  'JSON, which loses much': (x) => JSON.parse(JSON.stringify(x)),
}

export default {
  title: 'A nested object of 1 kB, encoded and decoded',
  rows: Object.entries(codecs).map(([name, both]) => {
    deepStrictEqual(both(nestedObject), nestedObject)
    return { name, run: () => nanosecondsEach(2000, () => both(nestedObject)) }
  }),
} satisfies Benchmark
