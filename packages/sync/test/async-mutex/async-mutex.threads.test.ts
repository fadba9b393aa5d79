import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { registerError } from '@flatshare/core'
import { E_CANCELED, E_TIMEOUT, Mutex, Semaphore, withTimeout } from '@flatshare/sync/async-mutex'
import { describe, expect, test } from 'vitest'
import { Client, newCells, openGate, until } from './start.js'

const endOf = (clients: readonly Client[]) => Promise.all(clients.map(({ ended }) => ended))

describe('async-mutex between threads', () => {
  test.each([
    ['Mutex', () => ({ mutex: new Mutex() })],
    ['Semaphore of one', () => ({ semaphore: new Semaphore(1) })],
  ])('three threads and this one lose no count under a %s', async (_, make) => {
    const cells = newCells()
    const lock = make() as { mutex?: Mutex; semaphore?: Semaphore }
    const rounds = 300
    const clients = [1, 2, 3].map(() => new Client({ task: 'count', cells, rounds, ...lock }))
    await Promise.all(clients.map(({ asked }) => asked))
    openGate(cells)
    for (let i = 0; i < rounds; i++) {
      await (lock.mutex ?? lock.semaphore)!.runExclusive(async () => {
        const seen = cells[1]!
        await Promise.resolve()
        cells[1] = seen + 1
      })
    }
    await endOf(clients)
    expect(cells[1]).toBe(7 * rounds)
    expect((lock.mutex ?? lock.semaphore)!.isLocked()).toBe(false)
  })

  test('never is more inside than there are permits, whatever the weights and priorities', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(4)
    const clients = [1, 2, 3].map(() => new Client({ task: 'crowd', semaphore, cells, rounds: 300 }))
    await Promise.all(clients.map(({ asked }) => asked))
    openGate(cells)
    await endOf(clients)
    expect(cells[2]).toBe(0)
    expect(cells[3]).toBeGreaterThan(1)
    expect(cells[3]).toBeLessThanOrEqual(4)
    expect(semaphore.getValue()).toBe(4)
  })

  test('one queue for all threads: by priority, then by asking', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(1)
    const [, release] = await semaphore.acquire()
    const order: number[] = []
    const clients: Client[] = []
    const own: Array<Promise<unknown>> = []
    for (const [mark, priority] of [
      [1, 0],
      [2, -1],
      [3, 2],
      [4, 0],
      [5, 2],
    ] as const) {
      if (mark === 4) {
        own.push(
          semaphore.acquire(1, priority).then(([, release]) => {
            Atomics.store(cells, 4 + Atomics.add(cells, 1, 1), mark)
            release()
          }),
        )
        continue
      }
      const client = new Client({ task: 'queue', semaphore, cells, priority, mark })
      await client.asked
      clients.push(client)
    }
    release()
    await Promise.all(own)
    await endOf(clients)
    for (let i = 0; i < Atomics.load(cells, 1); i++) order.push(cells[4 + i]!)
    expect(order).toEqual([3, 5, 1, 4, 2])
    expect(semaphore.getValue()).toBe(1)
  })

  test('a heavy one holds up lighter ones of other threads, but not those of higher priority', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(3)
    const [, release] = await semaphore.acquire(2)
    const heavy = new Client({ task: 'queue', semaphore, cells, weight: 3, mark: 1 })
    await heavy.asked
    const light = new Client({ task: 'queue', semaphore, cells, weight: 1, mark: 2 })
    await light.asked
    const higher = new Client({ task: 'queue', semaphore, cells, weight: 1, priority: 1, mark: 3 })
    expect(await higher.done).toEqual({ value: 1 })
    expect(cells[1]).toBe(1)
    release()
    expect(await heavy.done).toEqual({ value: 3 })
    expect(await light.done).toEqual({ value: 3 })
    await endOf([heavy, light, higher])
    expect([...cells.subarray(4, 7)]).toEqual([3, 1, 2])
  })

  test('a release on another thread serves this one, and the other way round', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(0)
    const own = semaphore.acquire()
    const releaser = new Client({ task: 'releaseOnce', semaphore, cells })
    expect((await own)[0]).toBe(1)
    const waiter = new Client({ task: 'wait', semaphore, cells })
    await waiter.asked
    semaphore.release()
    expect(semaphore.getValue()).toBe(0)
    expect(await waiter.done).toEqual({ value: 1 })
    await endOf([releaser, waiter])
  })

  test('setValue on another thread serves whom it is enough for', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(0)
    const served = semaphore.acquire(2)
    const later = semaphore.acquire(5)
    const setter = new Client({ task: 'setValue', semaphore, cells, weight: 4 })
    expect((await served)[0]).toBe(4)
    expect(await setter.done).toEqual({ value: 2 })
    semaphore.release(3)
    expect((await later)[0]).toBe(5)
    await setter.ended
  })

  test('waitForUnlock hears of a release on another thread', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const release = await mutex.acquire()
    const observer = new Client({ task: 'waitForUnlock', mutex, cells })
    await observer.asked
    release()
    await observer.done
    const holder = new Client({ task: 'hold', mutex, cells })
    await holder.has
    const unlocked = mutex.waitForUnlock()
    openGate(cells)
    await unlocked
    await endOf([observer, holder])
  })

  test('cancel rejects the waiters of all threads, each with the error of its lock', async () => {
    class ClosingError extends Error {
      override name = 'ClosingError'
      code = 'E_CLOSING'
    }
    registerError(ClosingError)
    for (const error of [undefined, new ClosingError('closing')]) {
      const cells = newCells()
      const mutex = new Mutex(error)
      await mutex.acquire()
      const clients = [1, 2].map(() => new Client({ task: 'wait', mutex, cells }))
      await Promise.all(clients.map(({ asked }) => asked))
      const own = mutex.acquire()
      mutex.cancel()
      await expect(own).rejects.toBe(error ?? E_CANCELED)
      for (const { done } of clients) {
        const { name, message } = error ?? E_CANCELED
        expect((await done).error).toMatchObject({ name, message, ...(error && { code: 'E_CLOSING' }) })
      }
      expect(mutex.isLocked()).toBe(true)
      await endOf(clients)
    }
  })

  const ends = {
    'terminate()': { task: 'hold', end: ({ worker }: Client) => void worker.terminate() },
    'process.exit()': { task: 'holdAndExit', end: (_: Client, cells: Int32Array) => openGate(cells) },
    'an uncaught error': { task: 'holdAndThrow', end: (_: Client, cells: Int32Array) => openGate(cells) },
  } as const

  for (const [how, { task, end }] of Object.entries(ends)) {
    test(`what a thread holds that ends by ${how} goes to those who wait`, async () => {
      const cells = newCells()
      const semaphore = new Semaphore(3)
      const holder = new Client({ task, semaphore, cells, weight: 2 })
      await holder.has
      const waiter = new Client({ task: 'wait', semaphore, cells, weight: 1 })
      expect(await waiter.done).toEqual({ value: 1 })
      const own = semaphore.acquire(2)
      const unlocked = semaphore.waitForUnlock(2, 1)
      end(holder, cells)
      expect((await own)[0]).toBeGreaterThanOrEqual(2)
      await unlocked
      await endOf([holder, waiter])
    })
  }

  test('what a thread held comes back without anybody waiting', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(3)
    const holder = new Client({ task: 'hold', semaphore, cells, weight: 2 })
    await holder.has
    expect(semaphore.getValue()).toBe(1)
    await holder.worker.terminate()
    await until(() => semaphore.getValue() === 3)
  })

  test('a thread that ends gives back what it still held, and leaves the queue', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(3)
    const doomed = new Client({ task: 'holdAndAsk', semaphore, cells, weight: 3 })
    await doomed.has
    expect(semaphore.getValue()).toBe(1)
    const own = semaphore.acquire(3)
    void doomed.worker.terminate()
    // Of three one was released before, two come back.
    expect((await own)[0]).toBe(3)
    expect(semaphore.getValue()).toBe(0)
  })

  test('what others have released for a thread does not come back with its end', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const holder = new Client({ task: 'hold', mutex, cells })
    await holder.has
    mutex.release()
    const release = await mutex.acquire()
    await holder.worker.terminate()
    const after = new Client({ task: 'wait', mutex, cells })
    await after.asked
    const own = mutex.acquire()
    release()
    expect(await after.done).toEqual({ value: 0 })
    // It has ended with the mutex in hand.
    ;(await own)()
    expect(mutex.isLocked()).toBe(false)
  })

  test('a waiter that is terminated costs nobody a turn', async () => {
    const cells = newCells()
    const semaphore = new Semaphore(1)
    const [, release] = await semaphore.acquire()
    const doomed = [1, 2, 3].map(() => new Client({ task: 'wait', semaphore, cells }))
    await Promise.all(doomed.map(({ asked }) => asked))
    const own = semaphore.acquire()
    for (const { worker } of doomed) void worker.terminate()
    release()
    const [value, releaseOwn] = await own
    expect(value).toBe(1)
    await endOf(doomed)
    releaseOwn()
    await until(() => semaphore.getValue() === 1)
  })

  test('withTimeout gives up a lock of another thread, and lets it go when it comes', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const holder = new Client({ task: 'hold', mutex, cells })
    await holder.has
    await expect(withTimeout(mutex, 5).acquire()).rejects.toBe(E_TIMEOUT)
    openGate(cells)
    await holder.ended
    await until(() => !mutex.isLocked())
  })

  const run = async (program: string, ...flags: string[]) => {
    const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url))
    const child = spawn(process.execPath, [...flags, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    const [code] = await once(child, 'close')
    return { code, output }
  }

  test('who waits for what another thread holds keeps the process alive', async () => {
    expect(await run('waits-for-thread')).toEqual({ code: 0, output: 'acquired\n' })
  })

  test('who waits for a lock that never left its thread does not', async () => {
    expect(await run('waits-for-nobody')).toEqual({ code: 0, output: 'ends\n' })
  })

  test('the memory of locks that never left their thread is used again', async () => {
    expect(await run('makes-many', '--expose-gc')).toEqual({ code: 0, output: 'their memory was used again\n' })
  })
})
