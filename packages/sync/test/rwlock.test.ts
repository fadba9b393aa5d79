import { inspect } from 'node:util'
import { DeadlockError, FlatshareError, marshal, modelOf, unmarshal, WrongThreadError } from '@flatshare/core'
import { Mutex, type ReadGuard, RwLock } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'

const timeout = expect.objectContaining({ name: 'TimeoutError' })

/** A turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('RwLock', () => {
  test('refuses a name that is no string, and options that are none, before it locks anything', async () => {
    expect(() => new RwLock({ name: 5 as never })).toThrow(TypeError)
    expect(() => new RwLock(5 as never)).toThrow(TypeError)
    const lock = new RwLock()
    for (const bad of [-1, Number.NaN, '5' as never]) {
      expect(() => lock.readSync({ timeout: bad })).toThrow(RangeError)
      expect(() => lock.writeSync({ timeout: bad })).toThrow(RangeError)
      await expect(lock.read({ timeout: bad })).rejects.toThrow(RangeError)
      await expect(lock.write({ timeout: bad })).rejects.toThrow(RangeError)
    }
    await expect(lock.read({ signal: {} as never })).rejects.toThrow(TypeError)
    await expect(lock.write({ signal: {} as never })).rejects.toThrow(TypeError)
    expect(lock.isLocked()).toBe(false)
  })

  test('many read, in each way, and nobody writes meanwhile', async () => {
    const lock = new RwLock()
    const guards = [lock.readSync(), lock.tryRead()!, await lock.read(), lock.readSync({ timeout: 0 })]
    expect(guards.map((guard) => guard.abandoned)).toEqual([false, false, false, false])
    expect([lock.readers, lock.isWriteLocked(), lock.isLocked()]).toEqual([4, false, true])
    expect(lock.tryWrite()).toBeUndefined()
    for (const guard of guards) guard.release()
    expect(lock.isLocked()).toBe(false)
    {
      using _guard = lock.readSync()
      expect(lock.readers).toBe(1)
    }
    expect(lock.readers).toBe(0)
  })

  test('one writes, in each way, and nobody else does anything meanwhile', async () => {
    const lock = new RwLock()
    for (const take of [() => lock.writeSync(), () => lock.tryWrite()!, () => lock.write()]) {
      using held = await take()
      expect(held.abandoned).toBe(false)
      expect([lock.readers, lock.isWriteLocked(), lock.isLocked()]).toEqual([0, true, true])
      expect(lock.tryRead()).toBeUndefined()
      expect(lock.tryWrite()).toBeUndefined()
    }
    expect(lock.isLocked()).toBe(false)
  })

  test('a guard released twice says so, and names the lock; disposing of it again is harmless', () => {
    const lock = new RwLock({ name: 'prices' })
    for (const guard of [lock.readSync(), lock.tryRead()!]) {
      guard.release()
      guard[Symbol.dispose]()
      expect(() => guard.release()).toThrow(FlatshareError)
      expect(() => guard.release()).toThrow('rwlock "prices" was released by this guard before')
    }
    const guard = lock.writeSync()
    guard.release()
    guard[Symbol.dispose]()
    expect(() => guard.release()).toThrow('rwlock "prices" was released by this guard before')
    expect(lock.isLocked()).toBe(false)
  })

  test('S18 blocking where this thread holds it throws, and what it holds stays', () => {
    const lock = new RwLock({ name: 'own' })
    {
      using _guard = lock.readSync()
      expect(() => lock.writeSync()).toThrow(DeadlockError)
      expect(() => lock.writeSync({ timeout: 10 })).toThrow(/reads by this lock already.*write access by rwlock "own"/)
      expect(() => lock.runWritingSync(() => {})).toThrow(DeadlockError)
      expect(lock.readers).toBe(1)
    }
    using guard = lock.writeSync()
    expect(() => lock.readSync()).toThrow(DeadlockError)
    expect(() => lock.runReadingSync(() => {})).toThrow(/writes by this lock already.*read access by rwlock "own"/)
    expect(() => lock.writeSync()).toThrow(DeadlockError)
    expect(lock.isWriteLocked()).toBe(true)
    guard.release()
    lock.writeSync().release()
  })

  test('S18 awaiting where this thread holds it queues', async () => {
    const lock = new RwLock()
    const reading = lock.readSync()
    const write = lock.write()
    reading.release()
    const writing = await write
    const reads = [lock.read(), lock.read()]
    writing.release()
    for (const guard of await Promise.all(reads)) guard.release()
    expect(lock.isLocked()).toBe(false)
  })

  test('S18 this thread reads again at once while it reads, blocking, also before a writer that waits', async () => {
    const lock = new RwLock()
    const outer = lock.readSync()
    const write = lock.write()
    const inner = lock.readSync()
    const tried = lock.tryRead()!
    expect(lock.readers).toBe(3)
    for (const guard of [outer, tried, inner]) guard.release()
    ;(await write).release()
  })

  test('S18 awaiting inside of its own runReading or runWriting goes in, or throws, after an await too', async () => {
    const lock = new RwLock({ name: 'own' })
    await lock.runReading(async () => {
      await turn()
      await expect(lock.write()).rejects.toThrow(/inside of runReading of rwlock "own"/)
      await expect(lock.runWriting(() => {})).rejects.toThrow(DeadlockError)
      using guard = await lock.read()
      await expect(guard.upgrade()).rejects.toThrow(DeadlockError)
      expect(await lock.runReading(() => lock.readers)).toBe(3)
    })
    await lock.runWriting(async () => {
      await turn()
      await expect(lock.read()).rejects.toThrow(/inside of runWriting of rwlock "own"/)
      await expect(lock.write()).rejects.toThrow(DeadlockError)
      await expect(lock.runReading(() => {})).rejects.toThrow(DeadlockError)
    })
    expect(lock.isLocked()).toBe(false)
  })

  test('inside of runReading one reads again although a writer waits; elsewhere an awaited read queues', async () => {
    const lock = new RwLock()
    const order: string[] = []
    let go!: () => void
    const gate = new Promise<void>((open) => (go = open))
    const outer = lock.runReading(async () => {
      await gate
      await lock.runReading(() => order.push('inner read'))
      order.push('outer read ends')
    })
    await turn()
    const write = lock.runWriting(() => order.push('write'))
    const elsewhere = lock.runReading(() => order.push('read elsewhere'))
    await turn()
    go()
    await Promise.all([outer, write, elsewhere])
    expect(order).toEqual(['inner read', 'outer read ends', 'write', 'read elsewhere'])
  })

  test('run… gives the result, ends after an error, and refuses promises where it does not await', async () => {
    const lock = new RwLock()
    expect(lock.runReadingSync(() => lock.readers)).toBe(1)
    expect(lock.runWritingSync(() => lock.isWriteLocked())).toBe(true)
    expect(await lock.runReading(async () => lock.readers)).toBe(1)
    expect(await lock.runWriting(async () => lock.isWriteLocked())).toBe(true)
    const fail = () => {
      throw new Error('mine')
    }
    expect(() => lock.runReadingSync(fail)).toThrow('mine')
    expect(() => lock.runWritingSync(fail)).toThrow('mine')
    await expect(lock.runReading(fail)).rejects.toThrow('mine')
    await expect(lock.runWriting(fail)).rejects.toThrow('mine')
    expect(() => lock.runReadingSync(() => Promise.resolve())).toThrow(TypeError)
    expect(() => lock.runWritingSync(() => Promise.resolve())).toThrow('use runWriting')
    expect(lock.isLocked()).toBe(false)
  })

  test('a waiter that gives up by timeout or signal leaves no trace and costs nobody a turn', async () => {
    const lock = new RwLock({ name: 'busy' })
    const guard = lock.writeSync()
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = [lock.read({ signal: controller.signal }), lock.write({ signal: controller.signal })]
    const late = [lock.read({ timeout: 5 }), lock.write({ timeout: 5 })]
    const served = lock.read()
    controller.abort(reason)
    for (const wait of aborted) await expect(wait).rejects.toBe(reason)
    for (const wait of late) await expect(wait).rejects.toEqual(timeout)
    await expect(late[0]).rejects.toThrow('Waited 5 ms for read access by rwlock "busy", which is held by this thread.')
    await expect(lock.read({ timeout: 0 })).rejects.toEqual(timeout)
    guard.release()
    ;(await served).release()
    expect(lock.isLocked()).toBe(false)
  })

  test('a writer that gives up lets in the readers that waited behind it', async () => {
    const lock = new RwLock()
    using _reading = lock.readSync()
    const controller = new AbortController()
    const write = lock.write({ signal: controller.signal })
    const read = lock.read()
    controller.abort(new Error('enough'))
    await expect(write).rejects.toThrow('enough')
    ;(await read).release()
  })

  test('readers and writers take turns: all readers that wait when a writer releases, then one writer', async () => {
    const lock = new RwLock()
    const order: string[] = []
    const first = lock.writeSync()
    const write = (name: string) =>
      lock.write().then((guard) => {
        order.push(name)
        return guard
      })
    const read = (name: string) =>
      lock.read().then((guard) => {
        order.push(name)
        return guard
      })
    const [w1, r1, w2, r2] = [write('w1'), read('r1'), write('w2'), read('r2')]
    first.release()
    const reading = await Promise.all([r1, r2])
    expect(order).toEqual(['r1', 'r2'])
    // Comes while a writer waits.
    const r3 = read('r3')
    await turn()
    expect(order).toEqual(['r1', 'r2'])
    for (const guard of reading) guard.release()
    const w3 = write('w3')
    ;(await w1).release()
    ;(await r3).release()
    ;(await w2).release()
    ;(await w3).release()
    expect(order).toEqual(['r1', 'r2', 'w1', 'r3', 'w2', 'w3'])
    expect(lock.isLocked()).toBe(false)
  })

  test('the only reader upgrades, in each way; the read guard is spent', async () => {
    const lock = new RwLock({ name: 'prices' })
    const ways = [
      (guard: ReadGuard) => guard.upgradeSync(),
      (guard: ReadGuard) => guard.upgrade(),
      (guard: ReadGuard) => guard.tryUpgrade()!,
      (guard: ReadGuard) => lock.upgradeSync(guard),
      (guard: ReadGuard) => lock.upgrade(guard),
      (guard: ReadGuard) => lock.tryUpgrade(guard)!,
    ]
    for (const way of ways) {
      const reading = lock.readSync()
      const writing = await way(reading)
      expect([lock.readers, lock.isWriteLocked()]).toEqual([0, true])
      expect(() => reading.release()).toThrow('This guard of rwlock "prices" was upgraded: use the write guard.')
      expect(() => reading.upgradeSync()).toThrow(FlatshareError)
      reading[Symbol.dispose]()
      const again = writing.downgrade()
      expect([lock.readers, lock.isWriteLocked()]).toEqual([1, false])
      expect(() => writing.release()).toThrow('rwlock "prices" was released by this guard before')
      expect(() => writing.downgrade()).toThrow(FlatshareError)
      writing[Symbol.dispose]()
      again.release()
    }
    expect(lock.isLocked()).toBe(false)
  })

  test('an upgrade waits for the other readers, before all writers, and keeps its read where it gives up', async () => {
    const lock = new RwLock({ name: 'prices' })
    const [reading, other] = [lock.readSync(), lock.readSync()]
    expect(reading.tryUpgrade()).toBeUndefined()
    expect(() => reading.upgradeSync()).toThrow(DeadlockError)
    await expect(reading.upgrade({ timeout: 0 })).rejects.toEqual(timeout)
    const controller = new AbortController()
    const aborted = reading.upgrade({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(lock.readers).toBe(2)

    const order: string[] = []
    const write = lock.write().then((guard) => {
      order.push('write')
      guard.release()
    })
    const upgrade = reading.upgrade()
    expect(() => reading.release()).toThrow('waits to be upgraded: await that first')
    expect(() => reading[Symbol.dispose]()).toThrow(FlatshareError)
    await expect(other.upgrade()).rejects.toThrow(/they would wait for each other for ever/)
    expect(other.tryUpgrade()).toBeUndefined()
    other.release()
    const writing = await upgrade
    order.push('upgrade')
    writing.release()
    await write
    expect(order).toEqual(['upgrade', 'write'])
    expect(lock.isLocked()).toBe(false)
  })

  test('a downgrade lets in readers that wait, and no writer', async () => {
    const lock = new RwLock()
    const writing = lock.writeSync()
    const [write, read] = [lock.write(), lock.read()]
    const reading = lock.downgrade(writing)
    const other = await read
    expect([lock.readers, lock.isWriteLocked()]).toEqual([2, false])
    other.release()
    reading.release()
    ;(await write).release()
  })

  test('what is upgraded or downgraded is a guard of this very lock', async () => {
    const lock = new RwLock({ name: 'a' })
    const other = new RwLock({ name: 'b' })
    using reading = other.readSync()
    expect(() => lock.upgradeSync(reading)).toThrow('another lock than rwlock "a"')
    expect(() => lock.tryUpgrade(reading)).toThrow(FlatshareError)
    await expect(lock.upgrade(reading)).rejects.toThrow(FlatshareError)
    expect(() => lock.upgradeSync(new Mutex().lockSync() as never)).toThrow(TypeError)
    expect(() => lock.downgrade(reading as never)).toThrow(TypeError)
    reading.release()
    using writing = other.writeSync()
    expect(() => lock.downgrade(writing)).toThrow('another lock than rwlock "a"')
  })

  test('S8 crosses as itself, the same object each time; its guards do not', () => {
    const lock = new RwLock({ name: 'prices' })
    expect(modelOf(lock)).toBe('free')
    expect(unmarshal(marshal(lock)[0])).toBe(lock)
    using reading = lock.readSync()
    expect(() => marshal(reading)).toThrow(WrongThreadError)
    reading.release()
    using writing = lock.writeSync()
    expect(() => marshal(writing)).toThrow('rwlock "prices"')
  })

  test('shows its name and who has it', () => {
    const lock = new RwLock({ name: 'prices' })
    expect(inspect(lock)).toBe('Rwlock "prices" (free)')
    const reading = [lock.readSync(), lock.readSync()]
    expect(inspect(lock)).toBe('Rwlock "prices" (read by "main" 2 times)')
    for (const guard of reading) guard.release()
    using _writing = lock.writeSync()
    expect(inspect(lock)).toBe('Rwlock "prices" (written by "main")')
    expect(inspect(new RwLock())).toMatch(/^Rwlock #\d+ \(free\)$/)
  })
})
