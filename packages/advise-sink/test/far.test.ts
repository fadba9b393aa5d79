import { AdviseSource } from '@flatshare/advise-sink'
import type { Apartment } from '@flatshare/apartment'
import { DisconnectedError, FlatshareError, marshal, unmarshal } from '@flatshare/core'
import { MARSHALER, registerMarshaler } from '@flatshare/core/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Collector, gate, openStores } from './stores.js'
import { Store, type StoreEvents } from './threads/store.js'

type Stores = typeof import('./threads/store.js')
let home: Apartment<Stores>

beforeAll(async () => {
  home = await openStores('home')
})
afterAll(() => home.close())

/** A source of another thread, and the store that has it. */
async function farSource() {
  const store = await home.create('Store')
  return { store, source: (await store.source()) as AdviseSource<StoreEvents> }
}

describe('a source on another thread than its home', () => {
  it('is one object there, and comes home as itself', async () => {
    const { source } = await farSource()
    const own = new AdviseSource({ events: ['a'] })
    expect(unmarshal(marshal(own)[0])).toBe(own)
    expect(unmarshal(marshal(source)[0])).toBe(source)
  })

  it('S24 refuses at once what its home would refuse', async () => {
    const { source } = await farSource()
    expect(() => source.raise('never' as 'batchDone', 1)).toThrow(/doesn't raise "never"; there are objectCreated/)
    expect(() => source.advise('never' as 'batchDone', () => {})).toThrow(FlatshareError)
    expect(() => source.advise('batchDone', {} as never)).toThrow(TypeError)
    await expect(source.unadvise({} as never)).rejects.toThrow(/knows no such/)
    const own = source.advise('carrying', () => {})
    expect(() => source.raise('carrying', { call: (x) => x, store: null })).toThrow(/by shared memory/)
    await own.unadvise()
    await expect(own.unadvise()).rejects.toThrow(/spent/)
  })

  it('S29 hears of what is raised after advise has returned, and of nothing before', async () => {
    const { source, store } = await farSource()
    const early = new Collector()
    source.advise('batchDone', early)
    source.raise('batchDone', 1)
    const late = new Collector()
    source.advise('batchDone', late)
    source.raise('batchDone', 2)
    await store.done(3)
    await Promise.all([early.has(3), late.has(2)])
    expect([early.payloads, late.payloads]).toEqual([
      [1, 2, 3],
      [2, 3],
    ])
  })

  it('S26 ends by unadvise, from inside too, and by a signal', async () => {
    const { source, store } = await farSource()
    const over = gate()
    let calls = 0
    const connection = source.advise('batchDone', async () => {
      calls++
      await Promise.resolve()
      await connection.unadvise()
      over.open()
    })
    const ending = new AbortController()
    const sink = new Collector()
    source.advise('batchDone', sink, { signal: ending.signal })
    source.raise('batchDone', 1)
    await over.opened
    await sink.has(1)
    ending.abort()
    source.raise('batchDone', 2)
    const fence = new Collector()
    source.advise('batchDone', fence)
    source.raise('batchDone', 3)
    await fence.has(1)
    expect([calls, sink.payloads]).toEqual([1, [1]])
    expect([source.connections, await store.connections()]).toEqual([1, 1])
  })

  it('S26 unadvise waits for the call in progress', async () => {
    const { source } = await farSource()
    const entered = gate()
    const go = gate()
    const order: string[] = []
    const connection = source.advise('batchDone', {
      async onNotify() {
        entered.open()
        await go.opened
        order.push('returned')
      },
      onUnadvised: () => void order.push('told'),
    })
    source.raise('batchDone', 1)
    await entered.opened
    const ending = connection.unadvise().then(() => order.push('unadvised'))
    go.open()
    await ending
    expect(order).toEqual(['returned', 'told', 'unadvised'])
  })

  it('S28 raiseAndWait goes by its home', async () => {
    const { source } = await farSource()
    const sink = new Collector()
    source.advise('batchDone', sink)
    source.advise('batchDone', () => 'stop')
    source.advise('batchDone', sink)
    source.raise('batchDone', 1)
    expect(await source.raiseAndWait('batchDone', 2)).toEqual({ notified: 2, stopped: true })
    expect(sink.payloads.filter((payload) => payload === 2)).toEqual([2])
    const never = source.advise('batchDone', () => new Promise(() => {}))
    await expect(source.raiseAndWait('batchDone', 3, { timeout: -1 })).rejects.toThrow(RangeError)
    expect(source.connections).toBe(4)
    void never
  })

  it('S30 coalesces by a key of its own thread, and has room', async () => {
    const { source } = await farSource()
    const sink = new Collector()
    const keys: unknown[] = []
    source.advise('batchDone', sink, {
      queue: { policy: 'coalesce', key: ({ payload }) => keys.push(payload) && 'one' },
    })
    await source.room()
    for (let i = 0; i < 100; i++) source.raise('batchDone', i)
    while (sink.payloads.at(-1) !== 99) await source.room().then(() => new Promise((resolve) => setImmediate(resolve)))
    expect(keys.length).toBe(100)
  })

  it('S31 reports what its sink throws to its own handler, and ends with its home', async () => {
    const mortal = await openStores('mortal')
    const store = await mortal.create('Store')
    const source = (await store.source()) as AdviseSource<StoreEvents>
    const failed = gate<unknown>()
    const lost = gate<unknown>()
    source.advise('batchDone', () => Promise.reject(new RangeError('full')), { onError: failed.open })
    source.raise('batchDone', 1)
    expect(await failed.opened).toBeInstanceOf(RangeError)
    source.advise('batchDone', () => {}, { onError: lost.open })
    await mortal.terminate()
    expect(await lost.opened).toBeInstanceOf(DisconnectedError)
    source.raise('batchDone', 2)
    expect(source.connections).toBe(0)
    expect(() => source.advise('batchDone', () => {})).toThrow(/has ended, which made the source/)
    expect(await source.raiseAndWait('batchDone', 3)).toEqual({ notified: 0, stopped: false })
  })

  it('S31 reports what does not get there to its own handler, and goes on', async () => {
    // The other thread doesn't know what this becomes.
    class Unknown {}
    const marshaler = { kind: 'of this thread alone', model: undefined, marshal: () => 1, unmarshal: () => 1 } as const
    Object.defineProperty(Unknown.prototype, MARSHALER, { value: marshaler })
    registerMarshaler(marshaler)
    const listener = await home.create('Listener')
    const local = new Store().source()
    const heard = gate<unknown[]>()
    const failed = gate<string>()
    await listener.held(local, heard.open, failed.open)
    local.raise('batchDone', new Unknown() as never)
    expect(await failed.opened).toMatch(/of this thread alone/)
    local.raise('batchDone', 2)
    expect(await heard.opened).toEqual([2])
    await listener.letGo()
  })

  it('S29 hears of NaN beside errors', async () => {
    const listener = await home.create('Listener')
    const local = new Store().source()
    const heard = gate<unknown[]>()
    await listener.held(local, heard.open)
    const payload = { ratio: NaN, error: new RangeError('x'), text: 'x'.repeat(200_000) }
    local.raise('batchDone', payload as never)
    expect(await heard.opened).toMatchObject([{ ratio: NaN, error: { message: 'x' } }])
    await listener.letGo()
  })
})
