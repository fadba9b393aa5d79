import { inspect } from 'node:util'
import { CannotBlockError, FlatshareError, marshal, modelOf, unmarshal, WrongThreadError } from '@flatshare/core'
import { allocate } from '@flatshare/core/internal'
import { Semaphore } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { makeSemaphore, SEMAPHORE_BYTES } from '../dist/semaphore-core.js'
import { type SyncMemory, sharedMemory } from '../dist/sync-memory.js'
import { makeWaitQueues } from '../dist/wait-queue.js'
import { makeWaiting } from '../dist/waiting.js'

const timeout = expect.objectContaining({ name: 'TimeoutError' })

describe('Semaphore', () => {
  test('refuses permits, weights, timeouts and names that are none, and takes nothing', async () => {
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 27 + 1, '3' as never, undefined as never]) {
      expect(() => new Semaphore(bad)).toThrow(RangeError)
    }
    expect(() => new Semaphore(1, { name: 5 as never })).toThrow(TypeError)
    const semaphore = new Semaphore(3)
    for (const bad of [0, -1, 1.5, Number.NaN, 2 ** 27 + 1, '2' as never, null as never]) {
      expect(() => semaphore.tryAcquire(bad)).toThrow(RangeError)
      expect(() => semaphore.acquireSync(bad)).toThrow(RangeError)
      await expect(semaphore.acquire(bad)).rejects.toThrow(RangeError)
      expect(() => semaphore.release(bad)).toThrow(RangeError)
    }
    for (const bad of [-1, Number.NaN, '5' as never]) {
      expect(() => semaphore.acquireSync({ timeout: bad })).toThrow(RangeError)
      await expect(semaphore.acquire(1, { timeout: bad })).rejects.toThrow(RangeError)
    }
    await expect(semaphore.acquire({ signal: {} as never })).rejects.toThrow(TypeError)
    expect(semaphore.available).toBe(3)
  })

  test('gives permits, one or several, in each way, and takes them back', async () => {
    const semaphore = new Semaphore(3)
    expect(semaphore.permits).toBe(3)
    const one = semaphore.acquireSync()
    const two = await semaphore.acquire(2, { timeout: 1000 })
    expect([one.weight, two.weight]).toEqual([1, 2])
    expect([one.abandoned, two.abandoned]).toEqual([false, false])
    expect(semaphore.available).toBe(0)
    expect(semaphore.tryAcquire()).toBeUndefined()
    one.release()
    expect(semaphore.tryAcquire(2)).toBeUndefined()
    semaphore.tryAcquire()!.release()
    two.release()
    {
      using _all = semaphore.acquireSync(3)
      expect(semaphore.available).toBe(0)
    }
    ;(await semaphore.acquire({ timeout: 0 })).release()
    semaphore.acquireSync({ timeout: Infinity }).release()
    expect(semaphore.available).toBe(3)
  })

  test('a permit released twice says so, and names the semaphore; disposing of it again is harmless', () => {
    const semaphore = new Semaphore(1, { name: 'pool' })
    const permit = semaphore.acquireSync()
    permit.release()
    permit[Symbol.dispose]()
    expect(() => permit.release()).toThrow(FlatshareError)
    expect(() => permit.release()).toThrow('semaphore "pool" was released by this guard before')
    expect(semaphore.available).toBe(1)
  })

  test('counts signals: what is released without having been acquired is added', async () => {
    const signals = new Semaphore(0)
    const first = signals.acquire()
    const second = signals.acquire(2)
    signals.release()
    expect((await first).weight).toBe(1)
    signals.release()
    expect(signals.available).toBe(1)
    expect(signals.tryAcquire()).toBeUndefined()
    signals.release(3)
    expect((await second).weight).toBe(2)
    expect(signals.available).toBe(2)
    signals.acquireSync(2)
    expect(signals.available).toBe(0)
  })

  test('more than it was made with are waited for; more than can be are refused, and nothing is added', async () => {
    const semaphore = new Semaphore(1, { name: 'full' })
    const heavy = semaphore.acquire(3)
    semaphore.release(2)
    ;(await heavy).release()
    expect(semaphore.available).toBe(3)
    expect(() => semaphore.release(2 ** 27)).toThrow(/"full" has 3 free permits.*more than 134217728/)
    expect(semaphore.available).toBe(3)
  })

  test('serves in order: a heavy one is not passed by light ones, and all are served that can be', async () => {
    const semaphore = new Semaphore(4)
    const order: string[] = []
    const waitFor = async (name: string, weight: number) => {
      const permit = await semaphore.acquire(weight)
      order.push(name)
      return permit
    }
    const first = semaphore.acquireSync(3)
    const heavy = waitFor('heavy', 4)
    const light = [waitFor('a', 1), waitFor('b', 2), waitFor('c', 1), waitFor('d', 1)]
    expect(semaphore.available).toBe(1)
    expect(semaphore.tryAcquire()).toBeUndefined()
    first.release()
    ;(await heavy).release()
    const [a, b, c] = await Promise.all(light.slice(0, 3))
    expect(order).toEqual(['heavy', 'a', 'b', 'c'])
    a!.release()
    ;(await light[3]!).release()
    b!.release()
    c!.release()
    expect(semaphore.available).toBe(4)
  })

  test('who gives up by timeout or signal leaves no trace, and those behind move up', async () => {
    const semaphore = new Semaphore(2, { name: 'busy' })
    const held = semaphore.acquireSync()
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = semaphore.acquire(2, { signal: controller.signal })
    const light = semaphore.acquire()
    controller.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    ;(await light).release()
    const late = semaphore.acquire(2, { timeout: 5 })
    const behind = semaphore.acquire()
    await expect(late).rejects.toEqual(timeout)
    await expect(late).rejects.toThrow('Waited 5 ms for 2 permits of semaphore "busy"')
    ;(await behind).release()
    await expect(semaphore.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(() => semaphore.acquireSync(2, { timeout: 5 })).toThrow(timeout)
    expect(() => semaphore.acquireSync(2, { timeout: 0 })).toThrow('Waited 0 ms for 2 permits of semaphore "busy"')
    held.release()
    expect(semaphore.available).toBe(2)
  })

  test('who blocks stands in line behind who awaits', async () => {
    const semaphore = new Semaphore(2)
    const held = semaphore.acquireSync()
    const waiting = semaphore.acquire(2)
    expect(() => semaphore.acquireSync({ timeout: 0 })).toThrow(timeout)
    held.release()
    ;(await waiting).release()
    expect(semaphore.available).toBe(2)
  })

  test('run and runSync give the result and the permits back, also after an error', async () => {
    const semaphore = new Semaphore(2)
    let inside = 0
    const results = await Promise.all(
      [1, 2, 3, 4].map((n) =>
        semaphore.run(async (permit) => {
          expect(++inside).toBeLessThanOrEqual(2)
          expect(permit.weight).toBe(1)
          await new Promise((resolve) => setImmediate(resolve))
          inside--
          return n
        }),
      ),
    )
    expect(results).toEqual([1, 2, 3, 4])
    const mine = () => {
      throw new Error('mine')
    }
    await expect(semaphore.run(mine, { weight: 2 })).rejects.toThrow('mine')
    expect(() => semaphore.runSync(mine)).toThrow('mine')
    expect(semaphore.runSync((permit) => permit.weight, { weight: 2 })).toBe(2)
    expect(() => semaphore.runSync(() => Promise.resolve())).toThrow(TypeError)
    expect(() => semaphore.runSync(() => {}, { weight: 0 })).toThrow(RangeError)
    await expect(semaphore.run(() => {}, { weight: 3, timeout: 0 })).rejects.toEqual(timeout)
    semaphore.runSync((permit) => permit.release())
    expect(semaphore.available).toBe(2)
  })

  test('S8 crosses as itself, the same object each time; a permit cannot cross', () => {
    const semaphore = new Semaphore(2, { name: 'pool' })
    expect(modelOf(semaphore)).toBe('free')
    expect(unmarshal(marshal(semaphore)[0])).toBe(semaphore)
    using permit = semaphore.acquireSync()
    expect(() => marshal(permit)).toThrow(WrongThreadError)
  })

  test('shows its name and what is free', () => {
    const semaphore = new Semaphore(3, { name: 'pool' })
    using _permit = semaphore.acquireSync(2)
    expect(inspect(semaphore)).toBe('Semaphore "pool" (1 of 3 free)')
  })

  test('where its thread may not block, what is not free is an error that names the way out', () => {
    const over = (memory: SyncMemory) => makeSemaphore(makeWaiting(makeWaitQueues(memory)))
    const semaphore = over({ ...sharedMemory, canBlock: () => false })
    const seat = semaphore.attach(allocate(SEMAPHORE_BYTES), 1)
    const options = { what: () => 'semaphore "page"', instead: 'await the permits, by acquire() or run()' }
    expect(semaphore.acquireSync(seat, 1, options)).toBe('acquired')
    expect(() => semaphore.acquireSync(seat, 1, options)).toThrow(CannotBlockError)
    expect(() => semaphore.acquireSync(seat, 1, options)).toThrow(/semaphore "page".*acquire\(\)/)
    semaphore.release(seat, 1)
    expect(semaphore.available(seat)).toBe(1)
  })
})
