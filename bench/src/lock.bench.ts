import { Mutex } from '@flatshare/sync'
import { Mutex as AsyncMutex } from 'async-mutex'
import type { Benchmark } from './benchmark.js'

const SYNC = 200_000
const ASYNC = 50_000

/** It needs a newer Node than the oldest that Flatshare runs on. */
const multithreading = await import('multithreading').catch(() => undefined)
const peer = multithreading && new multithreading.Mutex()

const mutex = new Mutex()
const asyncMutex = new AsyncMutex()
const words = new Int32Array(new SharedArrayBuffer(16))
let counter = 0

function timed(operation: () => void): Promise<number> {
  const started = process.hrtime.bigint()
  for (let i = 0; i < SYNC; i++) operation()
  return Promise.resolve(Number(process.hrtime.bigint() - started) / SYNC)
}

async function timedAsync(operation: () => Promise<void>): Promise<number> {
  const started = process.hrtime.bigint()
  for (let i = 0; i < ASYNC; i++) await operation()
  return Number(process.hrtime.bigint() - started) / ASYNC
}

export default {
  title: 'A lock that nobody else wants: lock and unlock',
  rows: [
    {
      name: 'compare-exchange and store, inline',
      run: () =>
        timed(() => {
          Atomics.compareExchange(words, 0, 0, 1)
          counter++
          Atomics.store(words, 0, 0)
        }),
    },
    {
      name: 'Mutex: lockSync, release',
      run: () =>
        timed(() => {
          const guard = mutex.lockSync()
          counter++
          guard.release()
        }),
    },
    { name: 'Mutex: runExclusiveSync', run: () => timed(() => mutex.runExclusiveSync(() => counter++)) },
    {
      name: 'Mutex: await lock, release',
      run: () =>
        timedAsync(async () => {
          const guard = await mutex.lock()
          counter++
          guard.release()
        }),
    },
    {
      name: 'async-mutex: await acquire, release (one thread only)',
      run: () =>
        timedAsync(async () => {
          const release = await asyncMutex.acquire()
          counter++
          release()
        }),
    },
    ...(peer
      ? [
          {
            name: 'multithreading: blockingLock, dispose',
            run: () =>
              timed(() => {
                const guard = peer.blockingLock()
                counter++
                guard.dispose()
              }),
          },
          {
            name: 'multithreading: await lock, dispose',
            run: () =>
              timedAsync(async () => {
                const guard = await peer.lock()
                counter++
                guard.dispose()
              }),
          },
        ]
      : []),
  ],
} satisfies Benchmark
