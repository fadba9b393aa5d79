import { AbandonedError } from '@flatshare/core'
import { isAlive } from '@flatshare/core/internal'
import { RwLock } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { makeReaderRecords } from '../dist/reader-records.js'
import { rwLockIn } from '../dist/rwlock-core.js'
import { READERS } from '../dist/rwlock-queue.js'
import { sharedMemory } from '../dist/sync-memory.js'
import { Cell, type RwOrder } from './threads/rwlocker.js'
import { newRwCells, RwLocker } from './threads/rwlocker-start.js'
import { openGate, reached, turn } from './threads/start.js'

/** Starts a thread for each task, and waits until they run. */
async function start(tasks: ReadonlyArray<RwOrder['task']>, order: Omit<RwOrder, 'task'>): Promise<RwLocker[]> {
  const lockers = tasks.map((task) => new RwLocker({ task, ...order }))
  await Promise.all(lockers.map((locker) => locker.id))
  return lockers
}

const allDone = (lockers: readonly RwLocker[]) => Promise.all(lockers.map((locker) => locker.done))
const allEnded = (lockers: readonly RwLocker[]) => Promise.all(lockers.map((locker) => locker.ended))

function expectWhole(cells: Int32Array): void {
  expect(cells[Cell.torn]).toBe(0)
  expect(cells[Cell.left]! + cells[Cell.right]!).toBe(0)
}

describe('RwLock between threads', () => {
  test('four threads read, write, upgrade and downgrade: nobody sees a half-done write, none is lost', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    const lockers = await start(['mix', 'mix', 'mix', 'mix'], { lock, cells, rounds: 8000 })
    openGate(cells)
    await allEnded(lockers)
    expectWhole(cells)
    expect(cells[Cell.left]).toBe(cells[Cell.writes])
    expect(cells[Cell.writes]).toBeGreaterThan(4 * 1000)
    expect(lock.isLocked()).toBe(false)
  })

  test('the same where some threads await, this one too', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    const rounds = 1200
    const lockers = await start(['mix', 'mixAwaiting', 'mixAwaiting'], { lock, cells, rounds })
    openGate(cells)
    for (let i = 0; i < rounds; i++) {
      await lock.runReading(() => expect(cells[Cell.left]! + cells[Cell.right]!).toBe(0))
      if (i % 4 !== 0) continue
      using guard = await lock.write()
      cells[Cell.left]!++
      if (i % 8 === 0) await Promise.resolve()
      cells[Cell.right]!--
      Atomics.add(cells, Cell.writes, 1)
      guard.release()
    }
    await allEnded(lockers)
    expectWhole(cells)
    expect(cells[Cell.left]).toBe(cells[Cell.writes])
    expect(lock.isLocked()).toBe(false)
  })

  test('threads that are terminated at any point leave a lock that goes on, and say so where they wrote', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    openGate(cells)
    const lockers = await start(['mixUntilStopped', 'mixUntilStopped', 'mixUntilStopped'], { lock, cells })
    for (let kills = 0; kills < 8; kills++) {
      await reached(cells, Cell.reads, cells[Cell.reads]! + 1 + Math.floor(Math.random() * 2000))
      const doomed = lockers.shift()!
      void doomed.worker.terminate()
      lockers.push(new RwLocker({ task: 'mixUntilStopped', lock, cells }))
      await doomed.ended
    }
    await reached(cells, Cell.reads, cells[Cell.reads]! + 1000)
    Atomics.store(cells, Cell.stop, 1)
    await allEnded(lockers)
    expect(cells[Cell.torn]).toBe(0)
    {
      using guard = lock.writeSync()
      if (!guard.abandoned) expectWhole(cells)
    }
    expect(lock.isLocked()).toBe(false)
    lock.runReadingSync(() => {})
  })

  test('writers are not starved by readers that never stop', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    const lockers = await start(['readUntilStopped', 'readUntilStopped', 'readAwaitingUntilStopped'], { lock, cells })
    openGate(cells)
    for (let i = 1; i <= 100; i++) {
      await reached(cells, Cell.reads, i)
      using guard = await lock.write()
      expect(guard.abandoned).toBe(false)
      expect(cells[Cell.left]! + cells[Cell.right]!).toBe(0)
    }
    Atomics.store(cells, Cell.stop, 1)
    await allEnded(lockers)
    expectWhole(cells)
  })

  test('readers are not starved by writers that never stop', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    const lockers = await start(['writeUntilStopped', 'writeUntilStopped', 'writeUntilStopped'], { lock, cells })
    openGate(cells)
    for (let i = 1; i <= 100; i++) {
      await reached(cells, Cell.writes, i)
      using guard = await lock.read()
      expect(guard.abandoned).toBe(false)
      expect(cells[Cell.left]! + cells[Cell.right]!).toBe(0)
    }
    Atomics.store(cells, Cell.stop, 1)
    await allEnded(lockers)
    expectWhole(cells)
  })

  test('a reader that ends without releasing ends its reads', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    const [doomed] = await start(['readForever'], { lock, cells })
    await reached(cells, Cell.arrived, 1)
    expect(lock.readers).toBe(1)
    const writer = new RwLocker({ task: 'blockToWrite', lock, cells })
    await writer.blocked()
    const own = lock.write()
    void doomed!.worker.terminate()
    expect(await writer.done).toEqual({ abandoned: false })
    using guard = await own
    expect(guard.abandoned).toBe(false)
    expect(lock.readers).toBe(0)
    guard.release()
    await writer.ended
  })

  test('a writer that ends without releasing: all are told, until one that writes has released', async () => {
    const [cells, lock] = [newRwCells(), new RwLock({ name: 'prices' })]
    const [doomed] = await start(['writeForever'], { lock, cells })
    await reached(cells, Cell.arrived, 1)
    const blocked = await start(['blockToRead', 'blockToRead'], { lock, cells })
    await Promise.all(blocked.map((locker) => locker.blocked()))
    const awaiting = new RwLocker({ task: 'waitToRead', lock, cells })
    await awaiting.waiting
    const refused = expect(lock.runReading(() => 'never')).rejects.toThrow(/while it was writing by rwlock "prices"/)
    void doomed!.worker.terminate()
    for (const locker of [...blocked, awaiting]) expect(await locker.done).toEqual({ abandoned: true })
    await refused
    await expect(lock.runWriting(() => 'never')).rejects.toThrow(AbandonedError)
    expect(() => lock.runReadingSync(() => 'never')).toThrow(AbandonedError)
    expect(() => lock.runWritingSync(() => 'never')).toThrow(AbandonedError)
    expect(String((lock as any)[Symbol.for('nodejs.util.inspect.custom')]())).toBe('Rwlock "prices" (free, abandoned)')
    {
      using reading = lock.readSync()
      expect(reading.abandoned).toBe(true)
      using writing = reading.upgradeSync()
      expect(writing.abandoned).toBe(true)
      using mended = writing.downgrade()
      expect(mended.abandoned).toBe(false)
    }
    expect(lock.runReadingSync(() => 'whole')).toBe('whole')
    await allEnded([...blocked, awaiting])
  })

  test('waiters that are terminated, blocked or not, cost nobody a turn', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    const guard = lock.writeSync()
    const doomed = [
      new RwLocker({ task: 'blockToWrite', lock, cells }),
      new RwLocker({ task: 'waitToWrite', lock, cells }),
      new RwLocker({ task: 'blockToRead', lock, cells }),
    ]
    await Promise.all([doomed[0]!.blocked(), doomed[1]!.waiting, doomed[2]!.blocked()])
    const others = [
      new RwLocker({ task: 'blockToRead', lock, cells }),
      new RwLocker({ task: 'waitToWrite', lock, cells }),
      new RwLocker({ task: 'blockToWrite', lock, cells }),
    ]
    await Promise.all([others[0]!.blocked(), others[1]!.waiting, others[2]!.blocked()])
    for (const { worker } of doomed) void worker.terminate()
    guard.release()
    // One of the doomed may have come in before its end.
    await allDone(others)
    await allEnded([...doomed, ...others])
    lock.writeSync().release()
  })

  test('readers of several threads are in at once; one upgrades when the others have left', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    const readers = await start(['read', 'read'], { lock, cells })
    await reached(cells, Cell.arrived, 2)
    const reading = lock.readSync()
    expect(lock.readers).toBe(3)
    expect(reading.tryUpgrade()).toBeUndefined()
    expect(() => reading.upgradeSync({ timeout: 5 })).toThrow(
      /Waited 5 ms for write access by rwlock #\d+, which is held by "worker \d+" and "worker \d+"/,
    )
    expect(lock.readers).toBe(3)
    const upgrade = reading.upgrade()
    // Comes while one upgrades.
    const late = new RwLocker({ task: 'blockToRead', lock, cells })
    await late.blocked()
    openGate(cells)
    using writing = await upgrade
    expect(lock.readers).toBe(0)
    writing.release()
    await allEnded([...readers, late])
    expect(lock.isLocked()).toBe(false)
  })

  test('of two threads that upgrade one is refused at once, and the other comes in', async () => {
    const [cells, lock] = [newRwCells(), new RwLock({ name: 'prices' })]
    const lockers = await start(['upgrade', 'upgrade'], { lock, cells })
    await reached(cells, Cell.arrived, 2)
    openGate(cells)
    const outcomes = await allDone(lockers)
    await allEnded(lockers)
    const errors = outcomes.flatMap(({ error }) => (error ? [error] : []))
    expect(errors).toHaveLength(1)
    expect(errors[0]!.name).toBe('DeadlockError')
    expect(errors[0]!.cycle).toHaveLength(2)
    expect(errors[0]!.message).toContain('write access by rwlock "prices"')
    expect(cells[Cell.left]).toBe(1)
    expect(lock.isLocked()).toBe(false)
  })

  test('S17 two threads that read one lock each and want to write by the other: one is told, with every link', async () => {
    const cells = newRwCells()
    const [a, b] = [new RwLock({ name: 'a' }), new RwLock({ name: 'b' })]
    const lockers = [
      new RwLocker({ task: 'nest', lock: a, second: b, cells }),
      new RwLocker({ task: 'nest', lock: b, second: a, cells }),
    ]
    await reached(cells, Cell.arrived, 2)
    openGate(cells)
    const outcomes = await allDone(lockers)
    await allEnded(lockers)
    const errors = outcomes.flatMap(({ error }) => (error ? [error] : []))
    expect(errors).toHaveLength(1)
    expect(errors[0]!.name).toBe('DeadlockError')
    expect(errors[0]!.cycle).toHaveLength(2)
    for (const name of ['a', 'b']) {
      expect(errors[0]!.message).toMatch(
        new RegExp(`waits for write access by rwlock "${name}", held by "worker \\d+"`),
      )
    }
  })

  test('a thread that reads takes over the words of one that has ended', async () => {
    const [cells, lock] = [newRwCells(), new RwLock()]
    openGate(cells)
    for (let i = 0; i < 4; i++) {
      const [reader] = await start(['read'], { lock, cells })
      expect(await reader!.done).toEqual({ abandoned: false })
      await reader!.ended
      const id = await reader!.id
      while (isAlive(id)) await turn()
    }
    const records = makeReaderRecords(sharedMemory)
    const head = rwLockIn((lock as unknown as { address: number }).address) + READERS
    const first = records.takeOver(head)
    expect(first).not.toBe(0)
    // The only one: now it is this thread's.
    expect(records.takeOver(head)).toBe(0)
    expect(records.find(head)).toBe(first)
    lock.readSync().release()
    expect(lock.readers).toBe(0)
  })
})
