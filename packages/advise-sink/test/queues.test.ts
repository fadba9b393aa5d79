import { AdviseSource } from '@flatshare/advise-sink'
import { type Apartment, blocking, type Remote } from '@flatshare/apartment'
import { CannotBlockError } from '@flatshare/core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Collector, gate, openStores } from './stores.js'
import type { StoreNotification } from './threads/store.js'
import { Store } from './threads/store.js'

type Stores = typeof import('./threads/store.js')
let home: Apartment<Stores>
let store: Remote<Store>

beforeAll(async () => {
  home = await openStores('home')
})
afterAll(() => home.close())
beforeEach(async () => {
  store = await home.create('Store')
})

const tens = ({ payload }: StoreNotification) => Math.floor((payload as number) / 10)

describe('S30 a queue that coalesces', () => {
  it('keeps the last of each event, in the order of raising', async () => {
    const local = new Store()
    const sink = new Collector()
    local.advise('*', sink, { queue: { policy: 'coalesce' } })
    local.done(1)
    local.create('a')
    local.done(2)
    await sink.has(2)
    expect(sink.heard).toMatchObject([
      { event: 'objectCreated', sequence: 2 },
      { event: 'batchDone', payload: 2, sequence: 3 },
    ])
  })

  it('keeps the last of each key, beyond its limit the newest keys', async () => {
    const local = new Store()
    const sink = new Collector()
    local.advise('batchDone', sink, { queue: { policy: 'coalesce', key: tens, limit: 3 } })
    local.done(0, 50)
    await sink.has(3)
    expect(sink.heard).toMatchObject([{ payload: 29, dropped: 2 }, { payload: 39 }, { payload: 49 }])
  })

  it('by a key on another thread than the source, while the sink is busy', async () => {
    const sink = new Collector()
    const entered = gate()
    const go = gate()
    const keys: unknown[] = []
    const key = (notification: StoreNotification) => {
      keys.push(notification.payload)
      return tens(notification)
    }
    await store.advise(
      'batchDone',
      async (batch) => {
        entered.open()
        await go.opened
        sink.onNotify(batch)
      },
      { queue: { policy: 'coalesce', key } },
    )
    await store.done(0)
    await entered.opened
    await store.done(1000, 30)
    while (keys.length < 31) await store.connections()
    await store.connections()
    go.open()
    await sink.has(4)
    await store.done(2000)
    while (sink.payloads.at(-1) !== 2000) await store.connections()
    expect(sink.payloads.filter((payload) => (payload as number) >= 1000)).toEqual([1009, 1019, 1029, 2000])
  })

  it('takes 0 and -0 for two keys, and NaN for one', async () => {
    const source = new AdviseSource<{ number: number; fence: undefined }>({ events: ['number', 'fence'] })
    const heard: unknown[] = []
    const all = gate()
    const key = ({ event, payload }: { event: string; payload: unknown }) => (event === 'number' ? payload : event)
    source.advise(
      '*',
      (batch) => {
        heard.push(...batch.map(({ payload }) => payload))
        if (batch.at(-1)!.event === 'fence') all.open()
      },
      { queue: { policy: 'coalesce', key } },
    )
    for (const number of [0, -0, NaN, NaN, 0]) source.raise('number', number)
    source.raise('fence')
    await all.opened
    expect(heard).toEqual([-0, NaN, 0, undefined])
  })

  it('reports a key that throws, and delivers', async () => {
    const local = new Store()
    const sink = new Collector()
    const errors: unknown[] = []
    const key = () => {
      throw new RangeError('no key')
    }
    local.advise('batchDone', sink, { queue: { policy: 'coalesce', key }, onError: (error) => errors.push(error) })
    local.done(1, 2)
    expect((await sink.has(2)).payloads).toEqual([1, 2])
    expect(errors.length).toBe(2)
  })
})

describe('S30 a queue that drops', () => {
  it('says so by the next notification, also where that is awaited', async () => {
    const source = new AdviseSource<{ tick: number }>({ events: ['tick'] })
    const heard: unknown[] = []
    const all = gate()
    source.advise(
      'tick',
      async (batch) => {
        for (const { payload, dropped } of batch) heard.push([payload, dropped])
        if (heard.length === 3) all.open()
        await Promise.resolve()
      },
      { queue: { limit: 2 } },
    )
    for (let i = 1; i <= 4; i++) source.raise('tick', i)
    const awaited = source.raiseAndWait('tick', 0)
    for (let i = 5; i <= 8; i++) source.raise('tick', i)
    await Promise.all([awaited, all.opened])
    expect(heard).toEqual([
      [0, 4],
      [7, 2],
      [8, undefined],
    ])
  })

  it('says so by the one after an awaited event that was given up', async () => {
    const source = new AdviseSource<{ tick: number }>({ events: ['tick'] })
    const sink = new Collector()
    source.advise('tick', sink as never, { queue: { limit: 2 } })
    for (let i = 1; i <= 4; i++) source.raise('tick', i)
    const giving = new AbortController()
    const given = source.raiseAndWait('tick', 0, { signal: giving.signal })
    for (let i = 5; i <= 8; i++) source.raise('tick', i)
    giving.abort(new RangeError('enough'))
    await expect(given).rejects.toThrow('enough')
    await sink.has(2)
    expect(sink.heard.map(({ payload, dropped }) => [payload, dropped])).toEqual([
      [7, 6],
      [8, undefined],
    ])
  })
})

describe('S30 a queue that blocks its source', () => {
  it('has room for each of several that ask for it, in turns', async () => {
    const source = new AdviseSource<{ made: string }>({ events: ['made'] })
    const heard: string[] = []
    const sink = async (batch: ReadonlyArray<{ payload: string }>) => {
      heard.push(...batch.map(({ payload }) => payload))
      await Promise.resolve()
    }
    source.advise('made', sink, { queue: { policy: 'block', limit: 1 } })
    const produce = async (name: string) => {
      for (let i = 0; i < 5; i++) {
        await source.room()
        source.raise('made', name + i)
      }
    }
    await Promise.all([produce('a'), produce('b')])
    await source.room()
    expect(heard).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a4', 'b4'])
    // A place that nobody takes is the next one's.
    await source.room()
    await source.room()
  })

  it.each([
    ['', { limit: 3 }, 100],
    [', also where some batches were on their way to it', {}, 300_000],
  ])('is unadvised where the thread of its sink has died%s', async (_, limits, events) => {
    const sinks = await openStores('sinks')
    const listener = await sinks.create('Listener')
    const errors: unknown[] = []
    const source = new AdviseSource<{ tick: number }>({ events: ['tick'] })
    source.advise('tick', (await listener.dyingSink()) as never, {
      queue: { ...limits, policy: 'block' },
      onError: (error) => errors.push(error),
    })
    for (let i = 0; i < events; i++) source.raise('tick', i)
    expect([source.connections, errors]).toEqual([0, []])
    await sinks.close()
  })

  it('is a DeadlockError for the thread that fills the inbox of one that waits for it', async () => {
    const sinks = await openStores('sinks')
    const listener = await sinks.create('Listener')
    const source = new AdviseSource<{ tick: number }>({ events: ['tick'] })
    source.advise('tick', () => {})
    expect(blocking(listener).flood(source, 70_000)).toBe('DeadlockError')
    await sinks.close()
  })

  it('makes raise wait for a sink of another thread: nothing is dropped', async () => {
    const sinks = await openStores('sinks')
    const listener = await sinks.create('Listener')
    const local = new Store()
    const connection = local.advise('batchDone', (await listener.sink()) as never, {
      queue: { limit: 10, policy: 'block' },
    })
    local.done(0, 1000)
    while ((await listener.heard()).length < 1000);
    expect((await listener.heard()).map((heard) => (heard as unknown[])[1])).toEqual(
      Array.from({ length: 1000 }, (_, i) => i),
    )
    await connection.unadvise()
    await sinks.close()
  })

  it('also of the thread that waits for the call in which it is raised', async () => {
    const sink = new Collector()
    await store.advise('batchDone', sink, { queue: { limit: 10, policy: 'block' } })
    blocking(store).done(0, 100)
    expect((await sink.has(100)).payloads).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  it('refuses where the sink is of its own thread, and raises nothing; room() says when it can', async () => {
    const local = new Store()
    const sink = new Collector()
    const other = new Collector()
    local.advise('batchDone', other)
    local.advise('batchDone', sink, { queue: { limit: 2, policy: 'block' } })
    local.done(0, 2)
    expect(() => local.done(2)).toThrow(CannotBlockError)
    expect(() => local.done(2)).toThrow(/await source\.room\(\)/)
    for (let i = 2; i < 20; i++) {
      await local.room()
      local.done(i)
    }
    const all = Array.from({ length: 20 }, (_, i) => i)
    await Promise.all([sink.has(20), other.has(20)])
    expect([sink.payloads, other.payloads]).toEqual([all, all])
    // Who no longer listens holds up nobody.
    await local.room()
  })
})
