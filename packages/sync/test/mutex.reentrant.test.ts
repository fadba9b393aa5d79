import { DeadlockError } from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { Locker, newCells } from './threads/start.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a reentrant mutex', () => {
  test('is locked again by the code that holds it, and free when every guard is released, in any order', () => {
    const mutex = new Mutex({ reentrant: true })
    const first = mutex.lockSync()
    const second = mutex.lockSync()
    const third = mutex.tryLock()!
    mutex.runExclusiveSync(() => mutex.runExclusiveSync(() => {}))
    first.release()
    expect(() => first.release()).toThrow(/released by this guard before/)
    third.release()
    expect(mutex.isLocked()).toBe(true)
    second.release()
    expect(mutex.isLocked()).toBe(false)
  })

  test('is entered again inside of runExclusive, after an await too', async () => {
    const mutex = new Mutex({ reentrant: true })
    const seen: string[] = []
    await mutex.runExclusive(async () => {
      await turn()
      await mutex.runExclusive(async () => {
        await turn()
        using _guard = await mutex.lock()
        using _other = mutex.lockSync()
        expect(mutex.runExclusiveSync(() => 5)).toBe(5)
        seen.push('inner')
      })
      expect(mutex.isLocked()).toBe(true)
      seen.push('outer')
    })
    expect(seen).toEqual(['inner', 'outer'])
    expect(mutex.isLocked()).toBe(false)
  })

  test('keeps two tasks of one thread apart', async () => {
    const mutex = new Mutex({ reentrant: true })
    let inside = 0
    const task = (wait: () => Promise<unknown>) => async () => {
      expect(++inside).toBe(1)
      await wait()
      await mutex.runExclusive(wait)
      expect(inside--).toBe(1)
    }
    await Promise.all([
      mutex.runExclusive(task(turn)),
      mutex.runExclusive(task(() => Promise.resolve())),
      mutex.runExclusive(task(turn)),
    ])
    const guards = async () => {
      using _guard = await mutex.lock()
      expect(++inside).toBe(1)
      await turn()
      inside--
    }
    await Promise.all([guards(), guards(), guards()])
    expect(mutex.isLocked()).toBe(false)
  })

  test('S18 code that does not hold it queues, or throws where it would block its own thread', async () => {
    const mutex = new Mutex({ reentrant: true })
    const first = await mutex.lock()
    const second = mutex.lock()
    expect(() => mutex.lockSync()).toThrow(DeadlockError)
    expect(mutex.tryLock()).toBeUndefined()
    first.release()
    ;(await second).release()
    expect(mutex.isLocked()).toBe(false)
  })

  test('is one lock for other threads, whatever its depth, and reentrant on each of them', async () => {
    const mutex = new Mutex({ reentrant: true })
    const cells = newCells()
    const outer = mutex.lockSync()
    const inner = mutex.lockSync()
    const other = new Locker({ task: 'block', mutex, cells })
    await other.blocked()
    outer.release()
    mutex.tryLock()!.release()
    expect(mutex.isLocked()).toBe(true)
    expect(await Promise.race([other.done, turn().then(() => 'waits')])).toBe('waits')
    inner.release()
    expect(await other.done).toEqual({ abandoned: false })
    await other.ended
    expect(mutex.isLocked()).toBe(false)
  })

  test('refuses an option that is none', () => {
    expect(() => new Mutex({ reentrant: 1 as never })).toThrow(TypeError)
  })
})
