// A thread that uses containers: see `map.test.ts` and others.
import { parentPort } from 'node:worker_threads'
import { locked, type SharedMap, type SharedSet, type SharedVector } from '@flatshare/free-threaded'
import '../classes.js'
import { random } from '../../../core/dist-test/random.js'
import { type Jobs, serveJobs } from './jobs.js'

/** A call of a map on one key, as the recorder makes it. */
export type MapOp = {
  readonly name: 'get' | 'has' | 'set' | 'delete' | 'getOrInsert' | 'update'
  readonly value: number
}

export interface RecordedOp {
  readonly key: string
  readonly op: MapOp
  readonly result: unknown
  readonly began: number
  readonly ended: number
}

interface Recording {
  readonly clock: Int32Array
  readonly seed: number
  readonly calls: number
}

const NAMES = ['get', 'has', 'set', 'delete', 'getOrInsert', 'update'] as const

function apply(map: SharedMap<string, number>, key: string, { name, value }: MapOp): unknown {
  switch (name) {
    case 'set':
      map.set(key, value)
      return undefined
    case 'getOrInsert':
      return map.getOrInsert(key, value)
    case 'update':
      return map.update(key, (before = 0) => before + 1)
    default:
      return map[name](key)
  }
}

/** Calls that never end: until the thread does. */
function* forever(seed: number): Generator<number> {
  const next = random(seed)
  for (;;) yield next(1 << 30)
}

const jobs = {
  record(map: SharedMap<string, number>, { clock, seed, calls }: Recording): RecordedOp[] {
    const next = random(seed)
    const history: RecordedOp[] = []
    for (let i = 0; i < calls; i++) {
      const key = 'abc'[next(3)]!
      const op: MapOp = { name: NAMES[next(NAMES.length)]!, value: next(4) }
      const began = Atomics.add(clock, 0, 1)
      const result = apply(map, key, op)
      history.push({ key, op, result, began, ended: Atomics.add(clock, 0, 1) })
    }
    return history
  },
  count(map: SharedMap<string, number>, times: number) {
    for (let i = 0; i < times; i++) map.update(`k${i % 7}`, (count = 0) => count + 1)
  },
  /** Each key is claimed by one of all threads. */
  claim: (set: SharedSet<string>, keys: number) =>
    Array.from({ length: keys }, (_, i) => set.addIfAbsent(`key ${i}`)).filter(Boolean).length,
  push(vector: SharedVector<number>, [from, to]: [number, number]) {
    for (let i = from; i < to; i++) vector.push(i)
  },
  entries: (map: Iterable<unknown>) => [...map],
  fill(map: SharedMap<any, any>, entries: [unknown, unknown][]) {
    for (const [key, value] of entries) map.set(key, value)
  },
  instance: (map: SharedMap<string, object>, key: string) => map.get(key)?.constructor.name,
  same: (map: SharedMap<string, object>, key: string) => new Set([map.get(key), map.get(key)]).size === 1,
  /** Values say their key. */
  churn(map: SharedMap<number, string>, seed: number) {
    parentPort!.postMessage({ result: 'begun' })
    for (const r of forever(seed)) {
      if (r % 8 < 6) map.set(r % 64, `value ${r % 64}`)
      else map.delete(r % 64)
    }
  },
  churnVector(vector: SharedVector<string>, seed: number) {
    parentPort!.postMessage({ result: 'begun' })
    for (const r of forever(seed)) {
      const word = `word ${r % 100}`
      if (vector.length > 60) vector.splice(r % 50, 20)
      else if (r % 9 < 4) vector.push(word, word)
      else if (r % 9 < 5) vector.pop()
      else if (r % 9 < 6) vector.shift()
      else if (r % 9 < 7) vector.unshift(word)
      else if (r % 9 < 8) vector.splice(r % 5, 2, word)
      else vector.reverse()
    }
  },
  move(maps: SharedVector<SharedMap<string, number>>, times: number) {
    const [from, to] = maps.slice() as unknown as [SharedMap<string, number>, SharedMap<string, number>]
    for (let i = 0; i < times; i++) {
      // In the other order than elsewhere.
      locked([to, from], () => {
        from.update('sum', (sum) => sum! - 1)
        to.update('sum', (sum) => sum! + 1)
      })
    }
  },
  compute: (map: SharedMap<string, number>, { key, ran }: { key: string; ran: Int32Array }) =>
    map.getOrInsertAsync(key, async () => {
      // As long as others may come.
      await new Promise((resolve) => setImmediate(resolve))
      return Atomics.add(ran, 0, 1) + 100
    }),
  /** Says that it is inside, then waits there until `gate` is opened. */
  hold(map: SharedMap<string, number>, gate: Int32Array) {
    map.update('a', (value) => {
      parentPort!.postMessage({ inside: true })
      Atomics.wait(gate, 0, 0)
      return value! + 1
    })
  },
  dieInside(map: SharedMap<string, number>) {
    map.update('a', () => process.exit(3))
  },
  /** Says that its factory runs, then ends there. */
  async dieInFactory(map: SharedMap<string, number>, gate: Int32Array) {
    await map.getOrInsertAsync('key', () => {
      parentPort!.postMessage({ inside: true })
      Atomics.wait(gate, 0, 0)
      process.exit(3)
    })
  },
} satisfies Jobs

serveJobs(jobs)
