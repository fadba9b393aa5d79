import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { AbandonedError } from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { Locker, newCells, openGate, reached } from './threads/start.js'

describe('Mutex between threads', () => {
  test('four threads lose none of 400,000 increments', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const lockers = [1, 2, 3, 4].map(() => new Locker({ task: 'count', mutex, cells, rounds: 100_000 }))
    await Promise.all(lockers.map((locker) => locker.id))
    openGate(cells)
    await Promise.all(lockers.map((locker) => locker.ended))
    expect(cells[3]).toBe(400_000)
    expect(mutex.isLocked()).toBe(false)
  })

  test('blocking and awaiting threads, this one too, lose nothing', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const rounds = 4000
    const lockers = (['count', 'countAwaiting', 'count', 'countAwaiting'] as const).map(
      (task) => new Locker({ task, mutex, cells, rounds }),
    )
    await Promise.all(lockers.map((locker) => locker.id))
    openGate(cells)
    for (let i = 0; i < rounds; i++) {
      const guard = await mutex.lock()
      cells[3]!++
      guard.release()
    }
    await Promise.all(lockers.map((locker) => locker.ended))
    expect(cells[3]).toBe(5 * rounds)
    expect(mutex.isLocked()).toBe(false)
  })

  const ends = {
    'terminate()': { task: 'holdForever', end: (holder: Locker) => void holder.worker.terminate() },
    'process.exit()': { task: 'holdAndExit', end: (_: Locker, cells: Int32Array) => openGate(cells) },
    'an uncaught error': { task: 'holdAndThrow', end: (_: Locker, cells: Int32Array) => openGate(cells) },
  } as const

  for (const [how, { task, end }] of Object.entries(ends)) {
    test(`a holder that ends by ${how} leaves the mutex to exactly one waiter, the others get it whole`, async () => {
      const cells = newCells()
      const mutex = new Mutex()
      const holder = new Locker({ task, mutex, cells })
      await reached(cells, 0, 1)
      const blockers = [1, 2].map(() => new Locker({ task: 'block', mutex, cells }))
      const waiters = [1].map(() => new Locker({ task: 'wait', mutex, cells }))
      const own = mutex.lock().then((guard) => {
        guard.release()
        return guard
      })
      await Promise.all([...blockers.map((locker) => locker.blocked()), ...waiters.map((locker) => locker.waiting)])
      end(holder, cells)
      const outcomes = await Promise.all([own, ...[...blockers, ...waiters].map((locker) => locker.done)])
      expect(outcomes.filter(({ abandoned }) => abandoned)).toHaveLength(1)
      await Promise.all([holder, ...blockers, ...waiters].map((locker) => locker.ended))
      expect(mutex.isLocked()).toBe(false)
    })
  }

  test('a holder that ended before anybody waited is found by the next one, by tryLock too', async () => {
    for (const lock of [(m: Mutex) => m.lockSync(), (m: Mutex) => m.lock(), (m: Mutex) => m.tryLock()!]) {
      const cells = newCells()
      const mutex = new Mutex()
      const holder = new Locker({ task: 'holdForever', mutex, cells })
      await reached(cells, 0, 1)
      expect(mutex.isLocked()).toBe(true)
      await holder.worker.terminate()
      while (mutex.isLocked()) await new Promise((resolve) => setImmediate(resolve))
      const guard = await lock(mutex)
      expect(guard.abandoned).toBe(true)
      guard.release()
      const next = mutex.lockSync()
      expect(next.abandoned).toBe(false)
      next.release()
    }
  })

  test('runExclusive throws AbandonedError until somebody has mended', async () => {
    const cells = newCells()
    const mutex = new Mutex({ name: 'ledger' })
    const holder = new Locker({ task: 'holdForever', mutex, cells })
    await reached(cells, 0, 1)
    const waiting = mutex.runExclusive(() => 'never')
    void holder.worker.terminate()
    await expect(waiting).rejects.toThrow(AbandonedError)
    await expect(mutex.runExclusive(() => 'never')).rejects.toThrow(/while it held mutex "ledger"/)
    expect(() => mutex.runExclusiveSync(() => 'never')).toThrow(AbandonedError)
    const guard = mutex.lockSync()
    expect(guard.abandoned).toBe(true)
    guard.release()
    expect(await mutex.runExclusive(() => 'whole')).toBe('whole')
  })

  test('a waiter that is terminated in mid-wait, blocked or not, costs nobody a turn', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const guard = mutex.lockSync()
    const doomed = [new Locker({ task: 'block', mutex, cells }), new Locker({ task: 'wait', mutex, cells })]
    await Promise.all([doomed[0]!.blocked(), doomed[1]!.waiting])
    const others = [new Locker({ task: 'block', mutex, cells }), new Locker({ task: 'wait', mutex, cells })]
    await Promise.all([others[0]!.blocked(), others[1]!.waiting])
    for (const { worker } of doomed) void worker.terminate()
    guard.release()
    const outcomes = await Promise.all(others.map((locker) => locker.done))
    // One of the doomed may have got the lock before its end came.
    expect(outcomes).toHaveLength(2)
    await Promise.all([...doomed, ...others].map((locker) => locker.ended))
    mutex.lockSync().release()
  })

  test('a thread whose own waiters never run out starves neither other threads nor its own event loop', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    let served = false
    const lane = async () => {
      while (!served) {
        using _guard = await mutex.lock()
        await Promise.resolve()
      }
    }
    const lanes = Promise.all([lane(), lane(), lane()])
    const others = [new Locker({ task: 'block', mutex, cells }), new Locker({ task: 'wait', mutex, cells })]
    await Promise.all(others.map((locker) => locker.done))
    served = true
    await lanes
    await Promise.all(others.map((locker) => locker.ended))
  })

  test('waiters that await are served in the order in which they came, on whatever thread', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const guard = mutex.lockSync()
    const turns: Array<Promise<number | undefined>> = []
    const here = () =>
      mutex.lock().then((guard) => {
        const turn = Atomics.add(cells, 3, 1)
        guard.release()
        return turn
      })
    for (let i = 0; i < 3; i++) {
      const locker = new Locker({ task: 'wait', mutex, cells })
      await locker.waiting
      turns.push(
        locker.done.then(({ turn }) => turn),
        here(),
      )
    }
    guard.release()
    // Who comes now is last, though the mutex may be free at this moment.
    turns.push(here())
    expect(await Promise.all(turns)).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  test('a thread that locks again and again starves nobody', async () => {
    const cells = newCells()
    const mutex = new Mutex()
    const hammer = new Locker({ task: 'hammer', mutex, cells })
    await reached(cells, 0, 1)
    const others = (['block', 'wait', 'block', 'wait'] as const).map((task) => new Locker({ task, mutex, cells }))
    await Promise.all(others.map((locker) => locker.done))
    for (let i = 0; i < 20; i++) (await mutex.lock()).release()
    openGate(cells)
    await hammer.ended
    expect(mutex.isLocked()).toBe(false)
  })

  test('S17 two threads that block for each other: one is told, with every link named', async () => {
    const cells = newCells()
    const a = new Mutex({ name: 'a' })
    const b = new Mutex({ name: 'b' })
    const lockers = [
      new Locker({ task: 'nest', mutex: a, second: b, cells }),
      new Locker({ task: 'nest', mutex: b, second: a, cells }),
    ]
    const outcomes = await Promise.all(lockers.map((locker) => locker.done))
    const errors = outcomes.flatMap(({ error }) => (error ? [error] : []))
    expect(errors).toHaveLength(1)
    for (const error of errors) {
      expect(error.name).toBe('DeadlockError')
      expect(error.cycle).toHaveLength(2)
      expect(error.message).toMatch(/"worker \d+" waits for mutex "[ab]", held by "worker \d+"/)
      expect(error.cycle!.join()).toContain('mutex "a"')
      expect(error.cycle!.join()).toContain('mutex "b"')
    }
    await Promise.all(lockers.map((locker) => locker.ended))
  })

  test('blocking with a timeout ends, and says who holds the mutex', async () => {
    const cells = newCells()
    const mutex = new Mutex({ name: 'busy' })
    const holder = new Locker({ task: 'hold', mutex, cells })
    await reached(cells, 0, 1)
    expect(() => mutex.lockSync({ timeout: 5 })).toThrow(
      expect.objectContaining({
        name: 'TimeoutError',
        message: expect.stringMatching(/mutex "busy".* held by "worker/),
      }),
    )
    openGate(cells)
    mutex.lockSync().release()
    await holder.ended
  })

  test('an awaited mutex keeps the process alive', async () => {
    const program = fileURLToPath(new URL('./threads/awaits-alone.js', import.meta.url))
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (data) => (output += data))
    const [code] = await once(child, 'close')
    expect({ code, output }).toEqual({ code: 0, output: 'locked\n' })
  })
})
