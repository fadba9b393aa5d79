/** Advise sources and their sinks in two processes: every kind of sink, masks, order, floods, and the end of one of them. */
import { AdviseSource, Apartment, initialize, type Notification } from 'flatshare'
import { childProcess } from 'flatshare/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Events, SinkKind } from './watcher.js'

type Watcher = typeof import('./watcher.js')

const watcher = childProcess(new URL('./watcher.js', import.meta.url))
const newSource = () => new AdviseSource<Events>({ events: ['made', 'gone'] })

let far: Apartment<Watcher>
let remote: any

beforeAll(async () => {
  far = await Apartment.open<Watcher>(watcher, { name: 'watcher' })
  remote = far.remote
})
afterAll(() => far.close())

describe('S27 a sink in another process', () => {
  const kinds: SinkKind[] = ['a function', 'an object', 'a wrapped one', 'a free-threaded one']

  it.each(kinds)('hears of what it asked for, in order, until it is unadvised: %s', async (kind) => {
    const source = newSource()
    await remote.advise(source, 'made', kind)
    expect(source.connections).toBe(1)
    source.raise('made', { i: 0 })
    source.raise('gone', { i: 1 })
    source.raise('made', { i: 2 })
    expect(await remote.heardSoFar(2)).toEqual([
      ['made', 0],
      ['made', 2],
    ])
    await remote.unadvise()
    expect(source.connections).toBe(0)
    source.raise('made', { i: 3 })
    expect(await remote.heardSoFar()).toHaveLength(2)
    expect(await remote.timesUnadvised()).toBe(kind === 'an object' ? 1 : 0)
    await expect(remote.unadvise()).rejects.toThrow('This advise connection is spent')
  })

  it.each(['first-thread', 'service-thread'] as const)(
    'named by its module runs in the process of the source: %s',
    async (notifications) => {
      const flatshare = initialize({ notifications })
      const source = new AdviseSource<{ carrying: { call: (x: any) => unknown } }>({ events: ['carrying'] })
      await remote.adviseByName(source)
      const [pid, thread] = await new Promise<[number, string]>((call) => source.raise('carrying', { call }))
      expect(pid).toBe(process.pid)
      expect(thread === 'main').toBe(notifications === 'first-thread')
      await remote.unadvise()
      await flatshare.release()
    },
  )
})

describe('S33 a sink in another process', () => {
  it('is spared what its mask, and its target, leave out', async () => {
    const source = newSource()
    const [one, two] = [{ onNotify() {} }, { onNotify() {} }]
    await remote.advise(source, ['made', 'gone'], 'a function', { target: one })
    source.raise('made', { i: 0 }, { target: one })
    source.raise('made', { i: 1 }, { target: two })
    source.raise('gone', { i: 2 }, { target: one })
    source.raise('gone', { i: 3 })
    expect(await remote.heardSoFar(2)).toEqual([
      ['made', 0],
      ['gone', 2],
    ])
    await remote.unadvise()
    await remote.advise(source, '*', 'a function')
    source.raise('gone', { i: 4 })
    expect(await remote.heardSoFar(1)).toEqual([['gone', 4]])
    await remote.unadvise()
    await expect(remote.advise(source, 'sold', 'a function')).rejects.toThrow(/doesn't raise "sold"; there are/)
  })

  it('hears, of those with one key, the last one', async () => {
    const source = newSource()
    const latest = (n: Notification<Events>) => n.event
    await remote.coalesce(source, latest)
    for (let i = 0; i < 100; i++) source.raise(i % 2 === 0 ? 'made' : 'gone', { i })
    expect(await remote.heardSoFar(2)).toEqual([
      ['made', 98],
      ['gone', 99],
    ])
    await remote.unadvise()
  })
})

describe('S26 unadvising from another process', () => {
  it('inside of the sink it ends after the running call', async () => {
    const source = newSource()
    expect(await remote.adviseAndUnadviseInside(source)).toBe(1)
    expect(source.connections).toBe(0)
  })
})

describe('S31 a sink in another process', () => {
  it('that throws is told so there, and breaks no other', async () => {
    const source = newSource()
    const errors: unknown[] = []
    const heard: number[] = []
    source.advise('made', (batch) => void heard.push(...batch.map(({ payload }) => payload.i)))
    await new Promise<void>((resolve) => {
      void remote
        .adviseToThrow(source, (error: unknown) => {
          errors.push(error)
          resolve()
        })
        .then(() => source.raise('made', { i: 1 }))
    })
    expect(errors[0]).toBeInstanceOf(RangeError)
    source.raise('made', { i: 2 })
    await expect.poll(() => heard).toEqual([1, 2])
    await remote.unadvise()
  })

  it('that dies is unadvised, and the others go on', async () => {
    const source = newSource()
    const heard: number[] = []
    const connection = source.advise('made', (batch) => void heard.push(...batch.map(({ payload }) => payload.i)))
    const doomed = await Apartment.open<Watcher>(watcher, { name: 'doomed' })
    await (doomed.remote as any).adviseAndDie(source)
    expect(source.connections).toBe(2)
    source.raise('made', { i: 0 })
    await expect.poll(() => source.connections).toBe(1)
    source.raise('made', { i: 1 })
    await expect.poll(() => heard).toEqual([0, 1])
    await connection.unadvise()
    await doomed.terminate()
  })
})

describe('S29 a flood of events', () => {
  const many = 100_000

  it('reaches a sink in another process, each once and in order, where the source waits for room', async () => {
    const source = newSource()
    await remote.advise(source, 'made', 'a function', { queue: { policy: 'block' } })
    for (let i = 0; i < many; i++) {
      if (i % 1_000 === 0) await source.room()
      source.raise('made', { i })
    }
    expect(await remote.heardInOrder(many)).toEqual([many, undefined])
    await remote.unadvise()
  })

  it('blocks its source where the queue is full', async () => {
    const source = newSource()
    await remote.advise(source, 'made', 'a function', { queue: { policy: 'block', limit: 1_000 } })
    for (let i = 0; i < many; i++) source.raise('made', { i })
    expect(await remote.heardInOrder(many)).toEqual([many, undefined])
    await remote.unadvise()
  })

  it('comes from another process', async () => {
    const source = await remote.ownSource()
    let next = 0
    let wrong: number | undefined
    let all!: () => void
    const came = new Promise<void>((resolve) => {
      all = resolve
    })
    const hear = (batch: readonly Notification<Events>[]) => {
      for (const { payload } of batch) if (payload.i !== next++) wrong ??= payload.i
      if (next === many) all()
    }
    const connection = await source.advise('made', hear, { queue: { policy: 'block' } })
    await remote.raiseMany(many)
    await came
    expect([next, wrong]).toEqual([many, undefined])
    await connection.unadvise()
  })

  it('S30 of a sink that is slow takes no more memory than its queue, and says what was dropped', async () => {
    const source = newSource()
    const sink = await remote.slowSink()
    const connection = source.advise('made', sink, { queue: { limit: 10 } })
    source.raise('made', { i: 0 })
    await sink.called(1)
    for (let i = 1; i <= 1_000; i++) source.raise('made', { i })
    sink.goOn().catch(() => {})
    await sink.called(2)
    expect(await sink.sizes()).toEqual([1, 10])
    sink.goOn().catch(() => {})
    await connection.unadvise()
  })
})

describe('S28 raiseAndWait', () => {
  it('waits for a sink of another process, which may stop it', async () => {
    const source = newSource()
    await remote.adviseToStop(source)
    expect(await source.raiseAndWait('made', { i: 1 })).toEqual({ notified: 1, stopped: false })
    expect(await source.raiseAndWait('made', { i: 2 })).toEqual({ notified: 1, stopped: true })
    await remote.unadvise()
  })

  it('is refused inside of a sink, also of a source of another process', async () => {
    const source = newSource()
    const message = new Promise<string>((told) => {
      void remote.raiseAndWaitInside(source, told).then(() => source.raise('made', { i: 1 }))
    })
    expect(await message).toBe('DeadlockError')
    await remote.unadvise()
  })
})
