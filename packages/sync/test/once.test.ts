import { inspect } from 'node:util'
import { DeadlockError, marshal, NotMarshalableError, unmarshal } from '@flatshare/core'
import { Mutex, Once, type OnceContext } from '@flatshare/sync'
import { describe, expect, expectTypeOf, test } from 'vitest'

const never = () => {
  throw new Error('This must not run.')
}

describe('Once on one thread', () => {
  test('runs the first function, and gives its very result to all', async () => {
    const once = new Once<{ made: number }>()
    const result = { made: 1 }
    expect(once.runSync(() => result)).toBe(result)
    expect(once.runSync(never)).toBe(result)
    expect(await once.run(never)).toBe(result)
    expect(once.value).toBe(result)
    expectTypeOf(once.value).toEqualTypeOf<{ made: number } | undefined>()
  })

  test('tells its function that nothing was abandoned', async () => {
    const told: OnceContext[] = []
    new Once().runSync((context) => told.push(context))
    await new Once().run((context) => told.push(context))
    expect(told).toEqual([{ abandoned: false }, { abandoned: false }])
  })

  test('tells a result of undefined from none', () => {
    const once = new Once<undefined>()
    expect([once.isDone, once.value]).toEqual([false, undefined])
    once.runSync(() => undefined)
    expect([once.isDone, once.value]).toEqual([true, undefined])
    expect(once.runSync(never)).toBe(undefined)
  })

  test('awaits an asynchronous function, for all who came meanwhile', async () => {
    const once = new Once<number[]>()
    let finish = (_: number[]) => {}
    const first = once.run(() => new Promise<number[]>((resolve) => (finish = resolve)))
    const others = [once.run(never), once.run(never)]
    expect(once.isDone).toBe(false)
    expect(inspect(once)).toMatch(/^Once #\d+ \(run by "main"\)$/)
    const result = [1]
    finish(result)
    expect(await first).toBe(result)
    for (const other of others) expect(await other).toBe(result)
    expect(inspect(once)).toMatch(/\(done\)$/)
  })

  test('keeps a failure for good: the same error to all', async () => {
    for (const error of [new RangeError('no'), 'a text', { reason: 1 }, undefined]) {
      const once = new Once()
      const fail = () => {
        throw error as Error
      }
      const thrown = (get: () => unknown) => {
        try {
          get()
        } catch (caught) {
          return caught
        }
        throw new Error('It must throw.')
      }
      expect(thrown(() => once.runSync(fail))).toBe(error)
      expect(once.isDone).toBe(true)
      expect(thrown(() => once.runSync(never))).toBe(error)
      expect(thrown(() => once.value)).toBe(error)
      expect(await once.run(never).catch((caught: unknown) => [caught])).toEqual([error])
      expect(inspect(once)).toMatch(/\(failed\)$/)
    }
    const once = new Once()
    const first = once.run(() => Promise.reject(new URIError('later')))
    const second = once.run(never)
    await expect(first).rejects.toThrow('later')
    await expect(second).rejects.toBeInstanceOf(URIError)
  })

  test('refuses, for good, a result that cannot cross, and says where', async () => {
    const once = new Once<unknown>({ name: 'setup' })
    expect(() => once.runSync(() => ({ list: [() => 1] }))).toThrow(NotMarshalableError)
    expect(() => once.runSync(never)).toThrow(/once "setup".*at list\.0\./)
    await expect(once.run(never)).rejects.toThrow(NotMarshalableError)
    const thrower = new Once()
    const symbol: unknown = Symbol('thrown')
    const failing = thrower.run(() => {
      throw symbol as Error
    })
    await expect(failing).rejects.toBe(symbol)
  })

  test('a function that waits for its own once gets a DeadlockError', async () => {
    const inside = (call: (once: Once<unknown>) => unknown) => {
      const once = new Once<unknown>({ name: 'own' })
      return { once, call: () => call(once) }
    }
    for (const nested of [
      (once: Once<unknown>) => once.runSync(never),
      (once: Once<unknown>) => once.run(never),
      async (once: Once<unknown>) => {
        await new Promise(setImmediate)
        return once.run(never)
      },
      async (once: Once<unknown>) => {
        await new Promise(setImmediate)
        return once.runSync(never)
      },
    ]) {
      const { once, call } = inside(nested)
      const error: unknown = await once.run(call).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(DeadlockError)
      expect((error as DeadlockError).message).toContain('once "own"')
      expect((error as DeadlockError).cycle).toEqual(['"main" waits for once "own", held by "main"'])
    }
    const { once, call } = inside((once) => once.runSync(never))
    expect(() => once.runSync(call)).toThrow(DeadlockError)
  })

  test('blocking for a function that this thread awaits is a DeadlockError, awaiting it is not', async () => {
    const once = new Once<number>()
    let finish = (_: number) => {}
    const first = once.run(() => new Promise<number>((resolve) => (finish = resolve)))
    expect(() => once.runSync(never)).toThrow(DeadlockError)
    const second = once.run(never)
    finish(5)
    expect(await Promise.all([first, second])).toEqual([5, 5])
  })

  test('who waits may give up, by signal or timeout, and leaves no trace', async () => {
    const once = new Once<number>({ name: 'slow' })
    let finish = (_: number) => {}
    const first = once.run(() => new Promise<number>((resolve) => (finish = resolve)))
    const controller = new AbortController()
    const waitedFor = (milliseconds: number) =>
      expect.objectContaining({
        name: 'TimeoutError',
        message: expect.stringMatching(`Waited ${milliseconds} ms for once "slow".*this thread`),
      })
    const givenUp = [
      expect(once.run(never, { signal: controller.signal })).rejects.toThrow('enough'),
      expect(once.run(never, { timeout: 1 })).rejects.toThrow(waitedFor(1)),
      expect(once.run(never, { timeout: 0 })).rejects.toThrow(waitedFor(0)),
    ]
    const patient = once.run(never, { signal: new AbortController().signal, timeout: 60_000 })
    controller.abort(new Error('enough'))
    await Promise.all(givenUp)
    await expect(once.run(never, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    finish(1)
    expect(await Promise.all([first, patient])).toEqual([1, 1])
  })

  test('a signal does not end what runs', async () => {
    const once = new Once<number>()
    const controller = new AbortController()
    const first = once.run(
      async () => {
        controller.abort()
        await new Promise(setImmediate)
        return 3
      },
      { signal: controller.signal, timeout: 0 },
    )
    expect(await first).toBe(3)
  })

  test('says what is wrong with what it is given', async () => {
    expect(() => new Once(5 as never)).toThrow(TypeError)
    expect(() => new Once({ name: 5 as never })).toThrow(/new Once\(\{ name: 'settings' \}\)/)
    const once = new Once()
    expect(() => once.runSync(5 as never)).toThrow(/runSync takes the function/)
    await expect(once.run(undefined as never)).rejects.toThrow(/run takes the function/)
    expect(() => once.runSync(never, { timeout: -1 })).toThrow(RangeError)
    await expect(once.run(never, { timeout: Number.NaN })).rejects.toThrow(RangeError)
    await expect(once.run(never, { signal: {} as never })).rejects.toThrow(TypeError)
    expect(once.isDone).toBe(false)
    expect(inspect(once)).toMatch(/\(not run yet\)$/)
    expect(() => once.runSync(async () => 1)).toThrow(/async function: use run/)
    expect(() => once.value).toThrow(TypeError)
  })

  test('crosses as itself', () => {
    const once = new Once<number>({ name: 'crossing' })
    const [packet, transfer] = marshal({ deep: [once] })
    expect(unmarshal<{ deep: [Once] }>(structuredClone(packet, { transfer })).deep[0]).toBe(once)
  })

  test('may have a lock, or another once, in its result', async () => {
    const mutex = new Mutex()
    const inner = new Once<number>()
    const once = new Once<{ mutex: Mutex; inner: Once<number> }>()
    expect(await once.run(() => ({ mutex, inner }))).toEqual({ mutex, inner })
  })
})
