import { locks } from '@flatshare/sync'
import type { Benchmark, Row } from './benchmark.js'

const TIMES = 20_000
const WAITING = 100

const native = (globalThis.navigator as Partial<Navigator> | undefined)?.locks
let counter = 0

const count = (): void => void counter++

async function oneAfterTheOther(request: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint()
  for (let i = 0; i < TIMES; i++) await request()
  return Number(process.hrtime.bigint() - started) / TIMES
}

/** Each round, so many requests wait for one lock. */
async function inQueue(request: () => Promise<unknown>): Promise<number> {
  const started = process.hrtime.bigint()
  for (let round = 0; round < TIMES / WAITING; round++) await Promise.all(Array.from({ length: WAITING }, request))
  return Number(process.hrtime.bigint() - started) / TIMES
}

/** Rows of an implementation; `manager` is ours, or the runtime's own. */
const rowsOf = (label: string, manager: Pick<typeof locks, 'request'>): Row[] => [
  { name: `${label}.request`, run: () => oneAfterTheOther(() => manager.request('bench', count)) },
  {
    name: `${label}.request, shared`,
    run: () => oneAfterTheOther(() => manager.request('bench', { mode: 'shared' }, count)),
  },
  {
    name: `${label}.request, async callback`,
    run: () => oneAfterTheOther(() => manager.request('bench', async () => count())),
  },
  { name: `${label}.request, ${WAITING} in a queue`, run: () => inQueue(() => manager.request('bench', count)) },
]

export default {
  title: 'A lock by name: request and release',
  rows: [...rowsOf('locks', locks), ...(native ? rowsOf('navigator.locks', native as typeof locks) : [])],
} satisfies Benchmark
