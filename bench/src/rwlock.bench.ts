import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { Mutex, RwLock } from '@flatshare/sync'
import type { Benchmark } from './benchmark.js'
import { Cell, handWritten, Lock, readTimes } from './rwlock-reading.js'

const ROUNDS = 200_000

const lock = new RwLock()
const mutex = new Mutex()
const word = new Int32Array(new SharedArrayBuffer(64))
const cells = new Int32Array(new SharedArrayBuffer(256))
const [packet, transferList] = marshal({ lock, mutex, word, cells })
const worker = new Worker(new URL('./rwlock-reader.js', import.meta.url), { workerData: packet, transferList })
const reads = readTimes({ lock, mutex, word })

function timed(operation: () => void): Promise<number> {
  const started = process.hrtime.bigint()
  operation()
  return Promise.resolve(Number(process.hrtime.bigint() - started) / ROUNDS)
}

const alone = (by: Lock) => () => timed(() => reads[by](ROUNDS))

/** Both threads read at once, as often as they can; time for each read of either. */
async function together(by: Lock): Promise<number> {
  Atomics.store(cells, Cell.by, by)
  Atomics.notify(cells, Cell.by)
  const before = Atomics.load(cells, Cell.rounds)
  // The other one may be starting, or asleep.
  while (Atomics.load(cells, Cell.rounds) === before) await new Promise((resolve) => setImmediate(resolve))
  const others = Atomics.load(cells, Cell.rounds)
  const started = process.hrtime.bigint()
  reads[by](ROUNDS)
  const elapsed = Number(process.hrtime.bigint() - started)
  const total = ROUNDS + Atomics.load(cells, Cell.rounds) - others
  Atomics.store(cells, Cell.by, Lock.none)
  return elapsed / total
}

const write = handWritten(word).write

export default {
  title: 'A readers-writer lock: time for each read (lock, release)',
  rows: [
    { name: 'RwLock: runReadingSync, one thread', run: alone(Lock.runReading) },
    { name: 'RwLock: runReadingSync, two threads at once', run: () => together(Lock.runReading) },
    { name: 'RwLock: readSync, release, one thread', run: alone(Lock.guard) },
    { name: 'RwLock: readSync, release, two threads at once', run: () => together(Lock.guard) },
    { name: 'one counter of readers, by hand, one thread', run: alone(Lock.byHand) },
    { name: 'one counter of readers, by hand, two threads at once', run: () => together(Lock.byHand) },
    { name: 'Mutex: runExclusiveSync, one thread', run: alone(Lock.mutex) },
    { name: 'Mutex: runExclusiveSync, two threads at once', run: () => together(Lock.mutex) },
    {
      name: 'to compare: RwLock: runWritingSync, one thread',
      run: () =>
        timed(() => {
          for (let i = 0; i < ROUNDS; i++) lock.runWritingSync(() => i)
        }),
    },
    {
      name: 'to compare: a write by hand, one thread',
      run: () =>
        timed(() => {
          for (let i = 0; i < ROUNDS; i++) write(() => i)
        }),
    },
  ],
  close: async () => void (await worker.terminate()),
} satisfies Benchmark
