import { inspect } from 'node:util'
import {
  AbandonedError,
  DeadlockError,
  FlatshareError,
  marshal,
  modelOf,
  unmarshal,
  WrongThreadError,
} from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'

const timeout = expect.objectContaining({ name: 'TimeoutError' })

describe('Mutex', () => {
  test('refuses a name that is no string, and a signal that is none, before it locks anything', async () => {
    expect(() => new Mutex({ name: 5 as never })).toThrow(TypeError)
    expect(() => new Mutex(5 as never)).toThrow(TypeError)
    const mutex = new Mutex()
    await expect(mutex.lock({ signal: {} as never })).rejects.toThrow(TypeError)
    expect(mutex.isLocked()).toBe(false)
  })

  test('locks and unlocks, in each way', async () => {
    const mutex = new Mutex()
    expect(mutex.isLocked()).toBe(false)
    const guard = mutex.lockSync()
    expect(guard.abandoned).toBe(false)
    expect(mutex.isLocked()).toBe(true)
    expect(mutex.tryLock()).toBeUndefined()
    guard.release()
    expect(mutex.isLocked()).toBe(false)
    mutex.tryLock()!.release()
    ;(await mutex.lock()).release()
    {
      using _guard = mutex.lockSync()
      expect(mutex.isLocked()).toBe(true)
    }
    expect(mutex.isLocked()).toBe(false)
  })

  test('a guard released twice says so, and names the mutex; disposing of it again is harmless', () => {
    const mutex = new Mutex({ name: 'ledger' })
    const guard = mutex.lockSync()
    guard.release()
    guard[Symbol.dispose]()
    const other = mutex.lockSync()
    expect(() => guard.release()).toThrow(FlatshareError)
    expect(() => guard.release()).toThrow('mutex "ledger" was released by this guard before')
    guard[Symbol.dispose]()
    expect(mutex.isLocked()).toBe(true)
    other.release()
  })

  test('S18 blocking for a mutex that this thread holds throws', () => {
    const mutex = new Mutex({ name: 'own' })
    using _guard = mutex.lockSync()
    expect(() => mutex.lockSync()).toThrow(DeadlockError)
    expect(() => mutex.lockSync({ timeout: 10 })).toThrow(/holds mutex "own" already/)
    expect(() => mutex.runExclusiveSync(() => {})).toThrow(DeadlockError)
  })

  test('S18 awaiting a mutex that this thread holds queues, in order', async () => {
    const mutex = new Mutex()
    const order: number[] = []
    const first = mutex.lockSync()
    const rest = [1, 2, 3, 4].map(async (n) => {
      using _guard = await mutex.lock()
      order.push(n)
      await Promise.resolve()
    })
    first.release()
    await Promise.all(rest)
    expect(order).toEqual([1, 2, 3, 4])
    expect(mutex.isLocked()).toBe(false)
  })

  test('S18 awaiting a mutex inside of its own runExclusive throws, after an await too', async () => {
    const mutex = new Mutex({ name: 'own' })
    await mutex.runExclusive(async () => {
      await expect(mutex.lock()).rejects.toThrow(DeadlockError)
      await Promise.resolve()
      await expect(mutex.runExclusive(() => {})).rejects.toThrow(/inside of runExclusive of mutex "own"/)
    })
    await mutex.runExclusive(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      await expect(mutex.lock()).rejects.toThrow(DeadlockError)
    })
    expect(mutex.isLocked()).toBe(false)
  })

  test('what runExclusive started and left behind may await the mutex later', async () => {
    const mutex = new Mutex()
    let later!: Promise<string>
    let go!: () => void
    const gone = new Promise<void>((resolve) => (go = resolve))
    await mutex.runExclusive(async () => {
      later = gone.then(() => mutex.runExclusive(() => 'served'))
      await Promise.resolve()
    })
    go()
    expect(await later).toBe('served')
  })

  test('runExclusive gives the result, unlocks after an error, and excludes', async () => {
    const mutex = new Mutex()
    let inside = 0
    const results = await Promise.all(
      [1, 2, 3].map((n) =>
        mutex.runExclusive(async () => {
          expect(++inside).toBe(1)
          await new Promise((resolve) => setImmediate(resolve))
          inside--
          return n
        }),
      ),
    )
    expect(results).toEqual([1, 2, 3])
    await expect(
      mutex.runExclusive(() => {
        throw new Error('mine')
      }),
    ).rejects.toThrow('mine')
    expect(mutex.runExclusiveSync(() => 5)).toBe(5)
    expect(() => mutex.runExclusiveSync(() => Promise.resolve())).toThrow(TypeError)
    expect(mutex.isLocked()).toBe(false)
  })

  test('a waiter that gives up by timeout or signal leaves no trace and costs nobody a turn', async () => {
    const mutex = new Mutex({ name: 'busy' })
    const guard = mutex.lockSync()
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = mutex.lock({ signal: controller.signal })
    const late = mutex.lock({ timeout: 5 })
    const served = mutex.lock()
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    await expect(late).rejects.toEqual(timeout)
    await expect(late).rejects.toThrow(/Waited 5 ms for mutex "busy", which is held by this thread/)
    guard.release()
    ;(await served).release()
    expect(mutex.isLocked()).toBe(false)
    await expect(mutex.lock({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(mutex.runExclusive(() => {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('timeouts are checked', async () => {
    const mutex = new Mutex()
    for (const bad of [-1, Number.NaN, '5' as never]) {
      expect(() => mutex.lockSync({ timeout: bad })).toThrow(RangeError)
      await expect(mutex.lock({ timeout: bad })).rejects.toThrow(RangeError)
    }
    mutex.lockSync({ timeout: 0 }).release()
    mutex.lockSync({ timeout: Infinity }).release()
  })

  test('S8 crosses as itself, the same object each time', () => {
    const mutex = new Mutex({ name: 'ledger' })
    expect(modelOf(mutex)).toBe('free')
    expect(unmarshal(marshal(mutex)[0])).toBe(mutex)
    const [table] = marshal({ deep: [mutex] }, { table: true })
    const copy = structuredClone(table)
    expect(unmarshal<{ deep: Mutex[] }>(copy).deep[0]).toBe(mutex)
  })

  test('S19 cloned without marshal it is refused; in logs it is its name and state', () => {
    const mutex = new Mutex({ name: 'ledger' })
    expect(() => structuredClone(mutex)).toThrow(/could not be cloned/)
    expect(JSON.stringify({ mutex })).toBe('{"mutex":"Mutex \\"ledger\\" (free)"}')
  })

  test('what is no function, no options, or a signal for a blocked thread is refused before it locks', async () => {
    const mutex = new Mutex()
    for (const options of [100, 'x', null, { signal: new AbortController().signal }]) {
      expect(() => mutex.lockSync(options as never)).toThrow(TypeError)
    }
    await expect(mutex.lock(100 as never)).rejects.toThrow(TypeError)
    await expect(mutex.runExclusive(5 as never)).rejects.toThrow(/takes a function/)
    expect(() => mutex.runExclusiveSync(undefined as never)).toThrow(/takes a function/)
    expect(mutex.isLocked()).toBe(false)
  })

  test('a guard cannot cross', () => {
    using guard = new Mutex({ name: 'ledger' }).lockSync()
    expect(() => marshal(guard)).toThrow(WrongThreadError)
    expect(() => marshal(guard)).toThrow('mutex "ledger"')
    expect(() => structuredClone(guard)).toThrow(/could not be cloned/)
  })

  test('shows its name and its holder', () => {
    const mutex = new Mutex({ name: 'ledger' })
    expect(inspect(mutex)).toBe('Mutex "ledger" (free)')
    using _guard = mutex.lockSync()
    expect(inspect(mutex)).toBe('Mutex "ledger" (held by "main")')
    expect(inspect(new Mutex())).toMatch(/^Mutex #\d+ \(free\)$/)
    expect(AbandonedError).toBeTypeOf('function')
  })
})
