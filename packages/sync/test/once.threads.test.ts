import { Once } from '@flatshare/sync'
import { describe, expect, test } from 'vitest'
import { newCells, openGate, reached } from './threads/start.js'
import { Runner } from './threads/start-once.js'

type Made = { by: number; list: number[] }

const never = () => {
  throw new Error('This must not run.')
}

describe('Once between threads', () => {
  test('of ten threads that race, blocking and awaiting, exactly one runs, and all have its result', async () => {
    const cells = newCells()
    const once = new Once<unknown>()
    const runners = Array.from(
      { length: 10 },
      (_, i) => new Runner({ task: i % 2 ? 'raceAwaiting' : 'race', once, cells }),
    )
    const ids = await Promise.all(runners.map((runner) => runner.id))
    openGate(cells)
    const outcomes = await Promise.all(runners.map((runner) => runner.done))
    expect(cells[1]).toBe(1)
    const mine = (await once.run(never)) as Made
    expect(ids).toContain(mine.by)
    for (const { value, same, error } of outcomes) {
      expect(error).toBeUndefined()
      expect(value).toEqual(mine)
      expect(same).toBe(true)
    }
    expect(once.runSync(never)).toBe(mine)
    await Promise.all(runners.map((runner) => runner.ended))
  })

  test('who blocks and who awaits gets what this thread makes, and each keeps its copy', async () => {
    const cells = newCells()
    const once = new Once<unknown>()
    let finish = (_: Made) => {}
    const result = { by: 1, list: [3] }
    const running = once.run(() => new Promise((resolve) => (finish = resolve)))
    const runners = (['block', 'wait'] as const).map((task) => new Runner({ task, once, cells }))
    await Promise.all([runners[0]!.blocked(), runners[1]!.waiting])
    finish(result)
    expect(await running).toBe(result)
    for (const { done } of runners) expect(await done).toEqual({ value: result })
    await Promise.all(runners.map((runner) => runner.ended))
  })

  for (const task of ['runForEver', 'awaitForEver'] as const) {
    test(`when a thread is terminated in ${task}, one of those who wait runs, told of it, and all have its result`, async () => {
      const cells = newCells()
      const once = new Once<unknown>()
      const doomed = new Runner({ task, once, cells })
      await reached(cells, 0, 1)
      const runners = (['block', 'wait', 'block'] as const).map((task) => new Runner({ task, once, cells }))
      const own = once.run(({ abandoned }) => ({ by: 0, abandoned }))
      await Promise.all([runners[0]!.blocked(), runners[1]!.waiting, runners[2]!.blocked()])
      void doomed.worker.terminate()
      const value = await own
      expect(value).toMatchObject({ abandoned: true })
      for (const { done } of runners) expect(await done).toEqual({ value })
      await Promise.all([doomed, ...runners].map((runner) => runner.ended))
    })
  }

  test('when a thread ended before anybody waited, the next one runs, told of it', async () => {
    const cells = newCells()
    const once = new Once<unknown>({ name: 'left' })
    const doomed = new Runner({ task: 'runAndExit', once, cells })
    await reached(cells, 0, 1)
    openGate(cells)
    await doomed.ended
    expect(await once.run(({ abandoned }) => abandoned)).toBe(true)
  })

  test('a waiter that is terminated costs nobody the result', async () => {
    const cells = newCells()
    const once = new Once<unknown>()
    let finish = (_: number) => {}
    const running = once.run(() => new Promise((resolve) => (finish = resolve)))
    const doomed = (['block', 'wait'] as const).map((task) => new Runner({ task, once, cells }))
    await Promise.all([doomed[0]!.blocked(), doomed[1]!.waiting])
    const others = (['block', 'wait'] as const).map((task) => new Runner({ task, once, cells }))
    await Promise.all([others[0]!.blocked(), others[1]!.waiting])
    for (const { worker } of doomed) void worker.terminate()
    finish(8)
    expect(await running).toBe(8)
    for (const { done } of others) expect(await done).toEqual({ value: 8 })
    await Promise.all([...doomed, ...others].map((runner) => runner.ended))
  })

  test('a failure comes to all, with class, message, fields and the stack of its thread, and is final', async () => {
    const cells = newCells()
    const once = new Once<unknown>()
    const failing = new Runner({ task: 'fail', once, cells })
    await reached(cells, 0, 1)
    const runners = (['block', 'wait'] as const).map((task) => new Runner({ task, once, cells }))
    await Promise.all([runners[0]!.blocked(), runners[1]!.waiting])
    const own = once.run(never)
    openGate(cells)
    const error = (await own.catch((caught: unknown) => caught)) as Error & { step: number }
    // The class itself is unknown here, as it is not registered on this thread.
    expect(error).toMatchObject({ name: 'SetupError', message: 'no disk', step: 3 })
    expect(error.cause).toBeInstanceOf(RangeError)
    expect(error.stack).toMatch(/once-runner.*--- on the thread "worker \d+" ---/s)
    expect(() => once.runSync(never)).toThrow(error)
    for (const runner of [failing, ...runners]) {
      const { error: told } = await runner.done
      expect(told).toMatchObject({ name: 'SetupError', message: 'no disk', isOwn: true })
      expect(told!.stack).toContain('once-runner')
    }
    await Promise.all([failing, ...runners].map((runner) => runner.ended))
  })

  test('a result that cannot cross is an error for all, and nobody hangs', async () => {
    const cells = newCells()
    const once = new Once<unknown>({ name: 'settings' })
    const running = new Runner({ task: 'giveUncrossable', once, cells })
    await reached(cells, 0, 1)
    const runners = (['block', 'wait'] as const).map((task) => new Runner({ task, once, cells }))
    await Promise.all([runners[0]!.blocked(), runners[1]!.waiting])
    openGate(cells)
    for (const runner of [running, ...runners]) {
      expect((await runner.done).error).toMatchObject({
        name: 'NotMarshalableError',
        message: expect.stringMatching(/once "settings".*the function read at settings\.read\./),
      })
    }
    await expect(once.run(never)).rejects.toThrow(/once "settings"/)
    await Promise.all([running, ...runners].map((runner) => runner.ended))
  })

  test('blocking with a timeout ends, and says who runs', async () => {
    const cells = newCells()
    const once = new Once<unknown>({ name: 'busy' })
    const running = new Runner({ task: 'runForEver', once, cells })
    await reached(cells, 0, 1)
    for (const timeout of [0, 5]) {
      expect(() => once.runSync(never, { timeout })).toThrow(
        expect.objectContaining({
          name: 'TimeoutError',
          message: expect.stringMatching(/once "busy".* held by "worker \d+"/),
        }),
      )
    }
    await running.worker.terminate()
    expect(await once.run(({ abandoned }) => abandoned)).toBe(true)
  })

  test('where blocking is not allowed, what runs elsewhere is an error that names run; what is done is given', async () => {
    const cells = newCells()
    const once = new Once<unknown>({ name: 'page' })
    let finish = (_: number) => {}
    const running = once.run(() => new Promise((resolve) => (finish = resolve)))
    const refused = new Runner({ task: 'blockUnblockable', once, cells })
    expect((await refused.done).error).toMatchObject({
      name: 'CannotBlockError',
      message: expect.stringMatching(/may not block.*once "page".*Instead: await run\(\)/),
    })
    finish(6)
    await running
    const given = new Runner({ task: 'blockUnblockable', once, cells })
    expect(await given.done).toEqual({ value: 6 })
    await Promise.all([refused.ended, given.ended])
  })

  test('S17 two threads that each block for what the other runs: one is told, with every link named', async () => {
    const cells = newCells()
    const a = new Once<unknown>({ name: 'a' })
    const b = new Once<unknown>({ name: 'b' })
    const runners = [
      new Runner({ task: 'nest', once: a, second: b, cells }),
      new Runner({ task: 'nest', once: b, second: a, cells }),
    ]
    const outcomes = await Promise.all(runners.map((runner) => runner.done))
    // Who is told fails by it, and the other one gets that failure.
    for (const { error } of outcomes) {
      expect(error!.name).toBe('DeadlockError')
      expect(error!.cycle).toHaveLength(2)
      expect(error!.cycle!.join()).toContain('once "a"')
      expect(error!.cycle!.join()).toContain('once "b"')
    }
    await Promise.all(runners.map((runner) => runner.ended))
  })
})
