import { inspect } from 'node:util'
import { CannotBlockError, FlatshareError, marshal, modelOf, unmarshal } from '@flatshare/core'
import { Condition, Mutex } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { makeCondition } from '../dist/condition-core.js'
import { makeLock } from '../dist/lock.js'
import { sharedMemory } from '../dist/sync-memory.js'
import { makeWaitQueues } from '../dist/wait-queue.js'
import { makeWaiting } from '../dist/waiting.js'

const timeout = expect.objectContaining({ name: 'TimeoutError' })

/** A mutex, and a waiter that awaits the condition and says when it goes on. */
function waiters(condition: Condition) {
  const mutex = new Mutex({ name: 'state' })
  const order: string[] = []
  const wait = async (name: string) => {
    using guard = await mutex.lock()
    await condition.wait(guard)
    order.push(name)
  }
  const waiting = async (count: number) => {
    while (condition.waiters < count) await new Promise((resolve) => setImmediate(resolve))
  }
  return { mutex, order, wait, waiting }
}

describe('Condition', () => {
  test('refuses names, guards, counts, timeouts and signals that are none, with the mutex held', async () => {
    expect(() => new Condition({ name: 5 as never })).toThrow(TypeError)
    const condition = new Condition()
    const mutex = new Mutex()
    using guard = mutex.lockSync()
    for (const bad of [undefined, {}, mutex]) {
      expect(() => condition.waitSync(bad as never)).toThrow(/guard of the mutex/)
      await expect(condition.wait(bad as never)).rejects.toThrow(TypeError)
    }
    for (const bad of [-1, Number.NaN, '5' as never]) {
      expect(() => condition.waitSync(guard, { timeout: bad })).toThrow(RangeError)
      expect(() => condition.waitSync(guard, () => true, { timeout: bad })).toThrow(RangeError)
      await expect(condition.wait(guard, { timeout: bad })).rejects.toThrow(RangeError)
      expect(() => condition.notify(bad)).toThrow(RangeError)
    }
    expect(() => condition.notify(0)).toThrow('notifyAll notifies all')
    await expect(condition.wait(guard, { signal: {} as never })).rejects.toThrow(TypeError)
    await expect(condition.wait(guard, { signal: AbortSignal.abort('no') })).rejects.toBe('no')
    expect(mutex.isLocked()).toBe(true)
    expect(condition.waiters).toBe(0)
  })

  test('S18 waiting with a released guard throws, also when nothing is to be waited for', async () => {
    const condition = new Condition()
    const guard = new Mutex({ name: 'state' }).lockSync()
    guard.release()
    expect(() => condition.waitSync(guard)).toThrow(FlatshareError)
    expect(() => condition.waitSync(guard, () => true)).toThrow('mutex "state" was released by this guard before')
    await expect(condition.wait(guard)).rejects.toThrow(FlatshareError)
  })

  test('gives the mutex up while it waits, and has it when it goes on', async () => {
    const condition = new Condition()
    const { mutex, order, wait, waiting } = waiters(condition)
    const done = wait('one')
    await waiting(1)
    expect(mutex.isLocked()).toBe(false)
    const guard = mutex.lockSync()
    expect(condition.notify()).toBe(1)
    expect(condition.waiters).toBe(0)
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual([])
    guard.release()
    await done
    expect(order).toEqual(['one'])
    expect(mutex.isLocked()).toBe(false)
  })

  test('a guard cannot be used while its mutex is given up, and is as before when the wait ends', async () => {
    const condition = new Condition()
    const mutex = new Mutex({ name: 'state' })
    const guard = await mutex.lock()
    const done = condition.wait(guard)
    expect(() => guard.release()).toThrow(FlatshareError)
    await expect(condition.wait(guard)).rejects.toThrow(FlatshareError)
    condition.notify()
    await done
    expect(guard.abandoned).toBe(false)
    guard.release()
    expect(mutex.isLocked()).toBe(false)
  })

  test('notifies in order, as many as it is told to, and says how many', async () => {
    const condition = new Condition()
    const { order, wait, waiting } = waiters(condition)
    expect(condition.notify()).toBe(0)
    expect(condition.notifyAll()).toBe(0)
    const done: Array<Promise<void>> = []
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      done.push(wait(name))
      await waiting(done.length)
    }
    expect(condition.notify(2)).toBe(2)
    await Promise.all(done.slice(0, 2))
    expect(order).toEqual(['a', 'b'])
    expect(condition.notify()).toBe(1)
    await done[2]
    expect(condition.notifyAll()).toBe(2)
    await Promise.all(done)
    expect(order).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('who gives up by timeout or signal has the mutex again, and costs nobody a notification', async () => {
    const condition = new Condition({ name: 'news' })
    const { mutex, order, wait, waiting } = waiters(condition)
    const reason = new Error('enough')
    const controller = new AbortController()
    const abortedGuard = await mutex.lock()
    const aborted = condition.wait(abortedGuard, { signal: controller.signal })
    const lateGuard = await mutex.lock()
    const late = condition.wait(lateGuard, { timeout: 5 })
    const patient = wait('patient')
    await waiting(3)
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    expect(mutex.isLocked()).toBe(true)
    abortedGuard.release()
    await expect(late).rejects.toEqual(timeout)
    await expect(late).rejects.toThrow('Waited 5 ms for a notification of condition "news"')
    expect(mutex.isLocked()).toBe(true)
    lateGuard.release()
    expect(condition.notify(3)).toBe(1)
    await patient
    expect(order).toEqual(['patient'])
    const guard = mutex.lockSync()
    expect(() => condition.waitSync(guard, { timeout: 5 })).toThrow(timeout)
    expect(() => condition.waitSync(guard, { timeout: 0 })).toThrow(timeout)
    await expect(condition.wait(guard, { timeout: 0 })).rejects.toEqual(timeout)
    expect(mutex.isLocked()).toBe(true)
    guard.release()
    expect(mutex.isLocked()).toBe(false)
  })

  test('waits until a function holds, which is called with the mutex held, and again after each notification', async () => {
    const condition = new Condition({ name: 'news' })
    const mutex = new Mutex()
    let value = 0
    let calls = 0
    const predicate = () => {
      calls++
      expect(mutex.isLocked()).toBe(true)
      return value >= 2
    }
    const guard = await mutex.lock()
    const done = condition.wait(guard, async () => predicate())
    for (let i = 1; i <= 2; i++) {
      while (condition.waiters < 1) await new Promise((resolve) => setImmediate(resolve))
      using _held = await mutex.lock()
      value++
      condition.notify()
    }
    await done
    expect(calls).toBe(3)
    condition.waitSync(guard, predicate)
    expect(calls).toBe(4)
    expect(() => condition.waitSync(guard, () => false, { timeout: 5 })).toThrow(
      'Waited 5 ms for a notification of condition "news"',
    )
    await expect(condition.wait(guard, () => false, { timeout: 5 })).rejects.toEqual(timeout)
    const reason = new Error('enough')
    const controller = new AbortController()
    const aborted = condition.wait(guard, () => false, { signal: controller.signal })
    while (condition.waiters < 1) await new Promise((resolve) => setImmediate(resolve))
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    expect(() =>
      condition.waitSync(guard, () => {
        throw reason
      }),
    ).toThrow(reason)
    let asked = 0
    condition.waitSync(guard, () => ++asked === 2, { timeout: 0 })
    expect(asked).toBe(2)
    expect(mutex.isLocked()).toBe(true)
    guard.release()
  })

  test('a reentrant mutex is given up whatever its depth', async () => {
    const condition = new Condition()
    const mutex = new Mutex({ reentrant: true })
    const outer = mutex.lockSync()
    const inner = mutex.lockSync()
    const done = condition.wait(inner)
    expect(mutex.isLocked()).toBe(false)
    condition.notify()
    await done
    inner.release()
    expect(mutex.isLocked()).toBe(true)
    outer.release()
    expect(mutex.isLocked()).toBe(false)
  })

  test('those that wait at one time hold the same mutex', async () => {
    const condition = new Condition()
    const { mutex, wait, waiting } = waiters(condition)
    const done = wait('one')
    await waiting(1)
    const other = new Mutex()
    const guard = other.lockSync()
    expect(() => condition.waitSync(guard)).toThrow(/with another mutex/)
    await expect(condition.wait(guard)).rejects.toThrow(FlatshareError)
    expect(other.isLocked()).toBe(true)
    condition.notifyAll()
    await done
    expect(mutex.isLocked()).toBe(false)
    expect(() => condition.waitSync(guard, { timeout: 0 })).toThrow(timeout)
    guard.release()
  })

  test('S8 crosses as itself, the same object each time', () => {
    const condition = new Condition({ name: 'news' })
    expect(modelOf(condition)).toBe('free')
    expect(unmarshal(marshal(condition)[0])).toBe(condition)
  })

  test('shows its name and how many wait', async () => {
    const condition = new Condition({ name: 'news' })
    const { wait, waiting } = waiters(condition)
    expect(inspect(condition)).toBe('Condition "news" (0 waiting)')
    const done = wait('one')
    await waiting(1)
    expect(inspect(condition)).toBe('Condition "news" (1 waiting)')
    condition.notify()
    await done
  })

  test('where its thread may not block, waiting is an error at once, that names the way out', () => {
    const waiting = makeWaiting(makeWaitQueues({ ...sharedMemory, canBlock: () => false }))
    const condition = makeCondition(waiting, makeLock(waiting))
    expect(() => condition.checkMayBlock(() => 'condition "news"')).toThrow(CannotBlockError)
    expect(() => condition.checkMayBlock(() => 'condition "news"')).toThrow(/condition "news".*wait\(\)/)
  })
})
