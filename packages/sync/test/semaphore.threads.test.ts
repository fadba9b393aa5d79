import { Mutex, Semaphore } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { Cell, newCells, openGate } from './threads/sharer-cells.js'
import { Sharer, until } from './threads/start-sharer.js'

describe('Semaphore between threads', () => {
  test('four threads, blocking and awaiting, take 1 to 3 permits of 3: never more, and none is lost', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(3)
    const rounds = 5000
    const sharers = (['useWeights', 'useWeightsAwaiting', 'useWeights', 'useWeightsAwaiting'] as const).map(
      (task) => new Sharer({ task, semaphore, cells, rounds }),
    )
    await Promise.all(sharers.map((sharer) => sharer.id))
    openGate(cells)
    await Promise.all(sharers.map((sharer) => sharer.ended))
    expect(cells[Cell.wrong]).toBe(0)
    expect(cells[Cell.sum]).toBe(4 * rounds)
    expect(semaphore.available).toBe(3)
  })

  test('threads that are terminated at any moment take no permit with them, and the next one is told', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(1)
    const start = (i: number) =>
      new Sharer({ task: i % 2 ? 'useAloneForEver' : 'useAloneForEverAwaiting', semaphore, cells })
    const sharers = [0, 1, 2, 3].map(start)
    for (let i = 0; i < 16; i++) {
      const progress = Atomics.load(cells, Cell.progress)
      await until(() => Atomics.load(cells, Cell.progress) > progress + 200 + ((i * 37) % 100))
      await sharers[i % 4]!.kill()
      sharers[i % 4] = start(i)
    }
    const progress = Atomics.load(cells, Cell.progress)
    await until(() => Atomics.load(cells, Cell.progress) > progress + 200)
    await Promise.all(sharers.map((sharer) => sharer.kill()))
    expect(cells[Cell.wrong]).toBe(0)
    expect(semaphore.available).toBe(1)
  })

  test('nor do threads that take several', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(3)
    const start = () => new Sharer({ task: 'useWeightsForEver', semaphore, cells })
    const sharers = [0, 1, 2, 3].map(start)
    for (let i = 0; i < 12; i++) {
      const progress = Atomics.load(cells, Cell.progress)
      await until(() => Atomics.load(cells, Cell.progress) > progress + 200 + ((i * 37) % 100))
      await sharers[i % 4]!.kill()
      sharers[i % 4] = start()
    }
    await Promise.all(sharers.map((sharer) => sharer.kill()))
    expect(semaphore.available).toBe(3)
    ;(await semaphore.acquire(3)).release()
  })

  const ends = {
    'terminate()': { task: 'hold', end: (holder: Sharer) => void holder.worker.terminate() },
    'process.exit()': { task: 'holdAndExit', end: (_: Sharer, cells: Int32Array) => openGate(cells) },
    'an uncaught error': { task: 'holdAndThrow', end: (_: Sharer, cells: Int32Array) => openGate(cells) },
  } as const

  for (const [how, { task, end }] of Object.entries(ends)) {
    test(`what a thread holds that ends by ${how} comes back, and one waiter is told`, async () => {
      const cells = newCells()
      const semaphore = new Semaphore(2)
      const holder = new Sharer({ task, semaphore, cells, weight: 2 })
      await until(() => Atomics.load(cells, Cell.arrived) === 1)
      const blocker = new Sharer({ task: 'block', semaphore, cells })
      await blocker.blocked()
      const own = semaphore.acquire()
      end(holder, cells)
      const outcomes = [await blocker.done, await own]
      expect(outcomes.filter(({ abandoned }) => abandoned)).toHaveLength(1)
      await Promise.all([holder.ended, blocker.ended])
      ;(await own).release()
      expect(semaphore.available).toBe(2)
    })
  }

  test('signals that a dead thread has used up do not come back; what it held of those that were made does', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(1)
    semaphore.release(2)
    const holder = new Sharer({ task: 'hold', semaphore, cells, weight: 3 })
    await until(() => Atomics.load(cells, Cell.arrived) === 1)
    expect(semaphore.available).toBe(0)
    await holder.kill()
    expect(semaphore.available).toBe(1)
    expect(semaphore.tryAcquire()!.abandoned).toBe(true)
  })

  test('permits that another thread gives back do not come back a second time', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(2)
    const holder = new Sharer({ task: 'hold', semaphore, cells, weight: 2 })
    await until(() => Atomics.load(cells, Cell.arrived) === 1)
    semaphore.release()
    expect(semaphore.available).toBe(1)
    await holder.kill()
    expect(semaphore.available).toBe(2)
  })

  test('a waiter whose thread is blocked is passed over, and served when it is back', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(1)
    const mutex = new Mutex()
    const permit = semaphore.acquireSync()
    const guard = mutex.lockSync()
    const sharer = new Sharer({ task: 'awaitAndBlock', semaphore, mutex, cells })
    await sharer.waiting
    await sharer.blocked()
    const own = semaphore.acquire()
    permit.release()
    const next = await own
    guard.release()
    next.release()
    await sharer.done
    await sharer.ended
    expect(semaphore.available).toBe(1)
  })
})
