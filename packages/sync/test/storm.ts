/** Threads that use the same primitives in all ways at once, while some of them are killed at random moments. */
import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { Mutex, RwLock, Semaphore } from '@flatshare/sync'
import { expect } from 'vitest'
import { Cell, MUTEXES, PERMITS, RWLOCKS, type Storm, THREADS } from './threads/storm-cells.js'

/** Lets it rage for so many operations. Seconds without any are a hang. */
export async function storm(operations: number, seed: number): Promise<void> {
  const mutexes = Array.from({ length: MUTEXES }, (_, i) => new Mutex({ name: `m${i}` }))
  const rwlocks = Array.from({ length: RWLOCKS }, (_, i) => new RwLock({ name: `rw${i}` }))
  const semaphore = new Semaphore(PERMITS)
  const cells = new Int32Array(new SharedArrayBuffer(4 * Cell.count))
  let random = seed
  const below = (n: number) => ((random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff) >> 8) % n
  const failures: unknown[] = []

  const start = (slot: number): Worker => {
    const order: Storm = { mutexes, rwlocks, semaphore, cells, slot, seed: below(1 << 20) }
    const [packet, transferList] = marshal(order)
    const worker = new Worker(new URL('./threads/storm-thread.js', import.meta.url), {
      workerData: packet,
      transferList,
    })
    worker.on('error', (error) => failures.push(error))
    return worker
  }
  const rounds = () => {
    let sum = 0
    for (let slot = 0; slot < THREADS; slot++) sum += Atomics.load(cells, Cell.own + slot * Cell.ownEach)
    return sum
  }
  const describe = () => [...mutexes, ...rwlocks, semaphore]

  const workers = Array.from({ length: THREADS }, (_, slot) => start(slot))
  let kills = 0
  let before = 0
  let progressed = performance.now()
  let nextKill = 2000
  while (rounds() < operations && failures.length === 0 && Atomics.load(cells, Cell.wrong) === 0) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = rounds()
    if (now !== before) {
      before = now
      progressed = performance.now()
    } else if (performance.now() - progressed > 20_000) {
      console.error(describe())
      throw new Error(`No progress after ${now} operations and ${kills} kills.`)
    }
    if (now < nextKill) continue
    nextKill = now + operations / 200 + below(operations / 50)
    const slot = below(THREADS)
    await workers[slot]!.terminate()
    kills++
    workers[slot] = start(slot)
  }
  expect(failures).toEqual([])
  expect(Atomics.load(cells, Cell.wrong)).toBe(0)
  Atomics.store(cells, Cell.stop, 1)
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))

  expect(kills).toBeGreaterThan(3)
  for (const [index, mutex] of mutexes.entries()) {
    // What a thread died holding is mended by the next one: here.
    using _guard = await mutex.lock()
    let changes = 0
    for (let slot = 0; slot < THREADS; slot++) changes += cells[Cell.own + slot * Cell.ownEach + 1 + index]!
    const lost = cells[Cell.pairs + 2 * index]! - changes
    // A thread that was killed inside may not have counted what it did.
    expect(lost).toBeGreaterThanOrEqual(0)
    expect(lost).toBeLessThanOrEqual(kills)
  }
  for (const rwlock of rwlocks) (await rwlock.write()).release()
  ;(await semaphore.acquire(PERMITS)).release()
  expect(mutexes.some((mutex) => mutex.isLocked())).toBe(false)
  expect(semaphore.available).toBe(PERMITS)
}
