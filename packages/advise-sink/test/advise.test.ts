import { AdviseConnection, AdviseSource, dispatchPending, thisThreadAdviseSink } from '@flatshare/advise-sink'
import { type Apartment, disconnect, type Remote } from '@flatshare/apartment'
import { currentThread, FlatshareError } from '@flatshare/core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Collector, gate, openStores } from './stores.js'
import { Store, type StoreNotification } from './threads/store.js'

type Stores = typeof import('./threads/store.js')
let home: Apartment<Stores>
let third: Apartment<Stores>
let store: Remote<Store>

beforeAll(async () => {
  ;[home, third] = await Promise.all([openStores('home'), openStores('third')])
})
afterAll(() => Promise.all([home.close(), third.close()]))
beforeEach(async () => {
  store = await home.create('Store')
})

/** Resolves when everything raised before has been delivered to a sink of this thread. */
async function fence(count: number): Promise<void> {
  const last = new Collector()
  await using _ = await store.advise('batchDone', last)
  await store.done(count)
  await last.has(1)
}

describe('S21 S27 a sink runs on the thread that made it', () => {
  it.each([
    ['a function', (heard: (batch: unknown) => void) => (batch: readonly StoreNotification[]) => heard(batch)],
    [
      'a plain object, with its this',
      (heard: (batch: unknown) => void) => ({
        heard,
        onNotify(this: any, batch: unknown) {
          this.heard(batch)
        },
      }),
    ],
    [
      'an object of an undecorated class',
      (heard: (batch: unknown) => void) =>
        new (class {
          heard = heard
          onNotify(batch: unknown) {
            this.heard(batch)
          }
        })(),
    ],
    ['a wrapped one', (heard: (batch: unknown) => void) => thisThreadAdviseSink({ onNotify: heard })],
    ['a wrapped function', (heard: (batch: unknown) => void) => thisThreadAdviseSink(heard)],
  ])('%s', async (_name, make) => {
    const called = gate<unknown>()
    await using _connection = await store.advise('objectCreated', make(called.open))
    await store.create('inbox')
    expect(await called.opened).toEqual([
      { event: 'objectCreated', payload: { name: 'inbox', tags: { a: [1, 2] } }, sequence: 1 },
    ])
  })

  it('also a third one, whether it advises itself or hands its sink out', async () => {
    const listener = await third.create('Listener')
    await listener.listen(store)
    await store.advise('batchDone', (await listener.sink()) as never)
    await store.done(7)
    while ((await listener.heard()).length < 2);
    await listener.stop()
    expect(await listener.heard()).toEqual([
      ['batchDone', 7, third.threadId],
      ['batchDone', 7, third.threadId],
    ])
  })

  it('the same sink gives the same wrapper; what is no sink is refused', async () => {
    const sink = { onNotify() {} }
    expect(thisThreadAdviseSink(sink)).toBe(thisThreadAdviseSink(sink))
    expect(() => thisThreadAdviseSink({} as never)).toThrow(TypeError)
    await expect(store.advise('batchDone', {} as never)).rejects.toThrow(TypeError)
  })
})

describe('S24 advise', () => {
  it('refuses an event that the source does not raise, at once, and so does raise', async () => {
    await expect(store.advise('moved' as never, () => {})).rejects.toThrow(
      /doesn't raise "moved"; there are objectCreated, batchDone/,
    )
    await expect(store.advise([], () => {})).rejects.toThrow(FlatshareError)
    await expect(store.unknown()).rejects.toThrow(/"never"/)
    const source = new AdviseSource<{ a: 1 }>({ events: ['a'] })
    expect(() => source.advise('b' as 'a', () => {})).toThrow(FlatshareError)
    expect(() => source.advise('a', () => {}, { queue: { limit: 0 } })).toThrow(RangeError)
    expect(() => source.advise('a', () => {}, { queue: { policy: 'keep' as never } })).toThrow(RangeError)
    for (const options of [
      null,
      { limit: 3 },
      { queue: 3 },
      { queue: { size: 3 } },
      { queue: { key: () => 1 } },
      { queue: { policy: 'coalesce', key: 'id' } },
      { signal: {} },
      { onError: 'log' },
    ]) {
      expect(() => source.advise('a', () => {}, options as never)).toThrow(TypeError)
    }
    for (const events of [undefined, 'a', [1]]) {
      expect(() => new AdviseSource({ events: events as never })).toThrow(TypeError)
    }
    expect(source.connections).toBe(0)
  })

  it('gives a connection that ends once; twice is an error by unadvise and harmless by dispose', async () => {
    const connection = await store.advise('batchDone', () => {})
    expect(await store.connections()).toBe(1)
    await connection.unadvise()
    expect(await store.connections()).toBe(0)
    await expect(connection.unadvise()).rejects.toThrow(/spent/)
    await connection[Symbol.asyncDispose]()
    await connection[Symbol.asyncDispose]()
  })

  it('is ended by await using, from another thread too', async () => {
    {
      await using _connection = await store.advise('batchDone', () => {})
      expect(await store.connections()).toBe(1)
    }
    expect(await store.connections()).toBe(0)
  })

  it('takes a connection back by the source, which knows its own', async () => {
    const mine = await store.advise('batchDone', () => {})
    const other = await home.create('Store')
    await expect(other.unadvise(mine)).rejects.toThrow(/knows no such/)
    await store.unadvise(mine)
    await expect(store.unadvise(mine)).rejects.toThrow(/spent/)
    expect(await store.connections()).toBe(0)
  })

  it('ends with its signal', async () => {
    const ending = new AbortController()
    const sink = new Collector()
    await store.advise('batchDone', sink, { signal: ending.signal })
    await store.done(1)
    await sink.has(1)
    ending.abort()
    while ((await store.connections()) > 0);
    await store.done(2)
    await fence(3)
    expect(sink.payloads).toEqual([1])
    await expect(store.advise('batchDone', sink, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  it('is reached through the source itself as well, which crosses as itself', async () => {
    const source = await store.source()
    expect(source).toBeInstanceOf(AdviseSource)
    expect(await store.source()).toBe(source)
    const sink = new Collector()
    const connection = source.advise('batchDone', sink)
    await store.done(4)
    source.raise('batchDone', 5)
    await store.done(6)
    expect((await sink.has(3)).heard.map(({ payload, sequence }) => [payload, sequence])).toEqual([
      [4, 1],
      [5, 2],
      [6, 3],
    ])
    await connection.unadvise()
    expect(source.connections).toBe(0)
    await store.done(7)
    await fence(8)
    expect(sink.heard.length).toBe(3)
  })
})

describe('S33 events and targets filter at the source', () => {
  it('so that a sink hears of what it asked for', async () => {
    const [one, both, about] = [new Collector(), new Collector(), new Collector()]
    await store.advise('objectCreated', one)
    await store.advise(['objectCreated', 'batchDone'], both)
    await store.advise('batchDone', about, { target: 'inbox' })
    await store.create('a')
    await store.done(1)
    await store.done(2, 1, 'inbox')
    await store.done(3, 1, 'sent')
    // The last of each, so that nothing else is on its way to it.
    await store.done(4, 1, 'inbox')
    await store.create('b')
    await Promise.all([one.has(2), both.has(6), about.has(2)])
    expect(one.heard.map(({ event, sequence }) => [event, sequence])).toEqual([
      ['objectCreated', 1],
      ['objectCreated', 6],
    ])
    expect(both.heard.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6])
    expect(about.heard).toEqual([
      { event: 'batchDone', payload: 2, target: 'inbox', sequence: 3 },
      { event: 'batchDone', payload: 4, target: 'inbox', sequence: 5 },
    ])
  })

  it('by an object that crosses by reference', async () => {
    const sink = new Collector()
    await store.advise('batchDone', sink, { target: store })
    await store.done(1, 1, await home.create('Store'))
    await store.done(2, 1, store)
    await sink.has(1)
    expect(sink.heard).toEqual([{ event: 'batchDone', payload: 2, target: store, sequence: 2 }])
    expect(sink.heard[0].target).toBe(store)
  })
})

describe('S28 the call that causes an event returns before the sink hears of it', () => {
  it('on another thread', async () => {
    const order: string[] = []
    const heard = gate()
    await store.advise('objectCreated', () => {
      order.push('heard')
      heard.open()
    })
    await store.create('a').then(() => order.push('returned'))
    await heard.opened
    expect(order).toEqual(['returned', 'heard'])
  })

  it('on its own, also through some awaits', async () => {
    const local = new Store()
    const order: string[] = []
    const heard = gate()
    local.advise('objectCreated', () => {
      order.push('heard')
      heard.open()
    })
    const cause = async () => {
      local.create('a')
      await Promise.resolve()
      await Promise.resolve()
      order.push('returned')
    }
    await cause()
    await heard.opened
    expect(order).toEqual(['returned', 'heard'])
  })
})

describe('S28 a sink that raises its own event each time it is called', () => {
  it('leaves the event loop its turns', async () => {
    const source = new AdviseSource<{ tick: void }>({ events: ['tick'] })
    let calls = 0
    const connection = source.advise('tick', () => {
      calls++
      if (calls < 1_000_000) source.raise('tick')
    })
    source.raise('tick')
    await new Promise((resolve) => setTimeout(resolve))
    await connection.unadvise()
    expect(calls).toBeLessThan(1_000_000)
  })

  it('is called by dispatchPending once', () => {
    const source = new AdviseSource<{ tick: void }>({ events: ['tick'] })
    let calls = 0
    source.advise('tick', () => {
      if (++calls < 1_000_000) source.raise('tick')
    })
    source.raise('tick')
    expect([dispatchPending(), calls]).toEqual([1, 1])
    expect([dispatchPending(), calls]).toEqual([1, 2])
    calls = 1_000_000
  })
})

describe('S29 notifications', () => {
  it('are frozen, of the moment of raising, here and there', async () => {
    const local = new Store() as unknown as Remote<Store>
    for (const provider of [store, local]) {
      const sink = new Collector()
      await provider.advise('objectCreated', sink)
      await provider.create('a')
      await sink.has(1)
      const [{ payload }] = sink.heard as any
      expect(payload).toEqual({ name: 'a', tags: { a: [1, 2] } })
      for (const x of [payload, payload.tags, payload.tags.a]) expect(Object.isFrozen(x)).toBe(true)
    }
  })

  it('are frozen as a whole where several sinks of a thread have the same ones, each in a list of its own', async () => {
    const sinks = [new Collector(), new Collector()] as const
    for (const sink of sinks) await store.advise('objectCreated', sink)
    for (let i = 1; i <= 3; i++) {
      await store.create('a')
      await Promise.all(sinks.map((sink) => sink.has(i)))
    }
    const [batch, other] = sinks.map(({ batches }) => batches.at(-1)!)
    expect(batch).not.toBe(other)
    expect(batch!.length).toBeGreaterThan(0)
    for (const [i, one] of batch!.entries()) {
      expect(one).toBe(other![i])
      expect(Object.isFrozen(one)).toBe(true)
    }
  })

  it('carry references', async () => {
    const sink = new Collector()
    await store.advise('carrying', sink)
    await store.carry()
    await sink.has(1)
    const { call, store: carried } = sink.heard[0].payload as { call: (x: number) => unknown; store: unknown }
    expect(carried).toBe(store)
    expect(await call(4)).toEqual([4, home.threadId])
  })

  it('come each once and in order, 100,000 to several sinks, slow ones in large batches', async () => {
    const count = 100_000
    const quick = new Collector()
    const slow = new Collector()
    await store.advise('batchDone', quick, { queue: { limit: count } })
    await store.advise(
      'batchDone',
      async (batch) => {
        slow.onNotify(batch)
        await store.connections()
      },
      { queue: { limit: count } },
    )
    for (let i = 0; i < count; i += 1000) void store.done(i, 1000)
    await Promise.all([quick.has(count), slow.has(count)])
    const all = Array.from({ length: count }, (_, i) => i)
    for (const { payloads, heard, batches } of [quick, slow]) {
      expect(payloads).toEqual(all)
      expect(heard.every(({ sequence }, i) => sequence === i + 1)).toBe(true)
      expect(batches.length).toBeLessThan(count / 10)
    }
  })

  it('are delivered one batch at a time', async () => {
    let running = 0
    let most = 0
    const sink = new Collector()
    await store.advise('batchDone', async (batch) => {
      most = Math.max(most, ++running)
      await store.connections()
      sink.onNotify(batch)
      running--
    })
    for (let i = 0; i < 50; i++) await store.done(i)
    await sink.has(50)
    expect(most).toBe(1)
  })
})

describe('S30 a queue is bounded', () => {
  it('and says how many of the oldest it dropped', async () => {
    const local = new Store()
    const sink = new Collector()
    const entered = gate()
    const go = gate()
    local.advise(
      'batchDone',
      async (batch) => {
        sink.onNotify(batch)
        entered.open()
        await go.opened
      },
      { queue: { limit: 10, policy: 'drop-oldest' } },
    )
    local.done(0)
    await entered.opened
    local.done(1, 1000)
    go.open()
    await sink.has(11)
    expect(sink.payloads).toEqual([0, 991, 992, 993, 994, 995, 996, 997, 998, 999, 1000])
    expect(sink.heard.map(({ dropped }) => dropped)).toEqual([undefined, 990, ...Array(9).fill(undefined)])
  })

  it('of 65,536 unless said otherwise', async () => {
    const local = new Store()
    const sink = new Collector()
    local.advise('batchDone', sink)
    local.done(0, 70_000)
    await sink.has(65_536)
    expect([sink.heard[0].dropped, sink.heard[0].payload]).toEqual([70_000 - 65_536, 70_000 - 65_536])
  })
})

describe('S31 a sink that throws', () => {
  it('is reported to its handler, on its own thread, and breaks nobody', async () => {
    const good = new Collector()
    const errors: Array<[unknown, number]> = []
    const failure = new RangeError('no room')
    await store.advise('batchDone', () => Promise.reject(failure), {
      onError: (error) => errors.push([error, currentThread.id]),
    })
    await store.advise('batchDone', good)
    await store.done(1)
    await good.has(1)
    await store.done(2)
    await good.has(2)
    await fence(3)
    while (errors.length < 2) await store.connections()
    expect(errors[0]).toEqual([failure, currentThread.id])
    expect(errors[0][0]).toBeInstanceOf(RangeError)
    expect(good.payloads.slice(0, 2)).toEqual([1, 2])
  })

  it('is written to the console where there is no handler, or that throws as well', async () => {
    const written = gate()
    const seen: unknown[] = []
    const console_ = vi.spyOn(console, 'error').mockImplementation((_text, error) => {
      if (seen.push(error) === 2) written.open()
    })
    const local = new Store()
    local.advise('batchDone', () => {
      throw new Error('first')
    })
    local.advise('batchDone', () => Promise.reject(new Error('unseen')), {
      onError: () => {
        throw new Error('second')
      },
    })
    local.done(1)
    await written.opened
    console_.mockRestore()
    expect(seen.map((error) => (error as Error).message)).toEqual(['first', 'second'])
  })

  it('hears of nothing more than errors when it was disconnected by its owner', async () => {
    const sink = new Collector()
    const failed = gate<unknown>()
    await store.advise('batchDone', sink, { onError: failed.open })
    disconnect(sink)
    await store.done(1)
    expect(await failed.opened).toMatchObject({ name: 'DisconnectedError' })
    expect(sink.heard).toEqual([])
  })
})

it('AdviseConnection is the class of what advise gives', () => {
  expect(new Store().advise('batchDone', () => {})).toBeInstanceOf(AdviseConnection)
})
