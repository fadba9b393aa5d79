import { AdviseSource } from '@flatshare/advise-sink'
import type { Apartment, Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Collector, gate, openStores } from './stores.js'
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

describe('S26 after await unadvise()', () => {
  it('the sink is never called again, however many events are on their way', async () => {
    for (let round = 0; round < 100; round++) {
      let calls = 0
      let ended = false
      let late = 0
      const connection = await store.advise('batchDone', async () => {
        calls++
        if (ended) late++
        await store.connections()
        if (ended) late++
      })
      const raising = Promise.all([store.done(0, 10), store.done(10, 10), store.done(20, 10)])
      if (round % 3 === 0) await raising
      if (round % 3 === 1) while (calls === 0) await store.connections()
      await connection.unadvise()
      ended = true
      const before = calls
      await raising
      await store.done(30)
      const fence = new Collector()
      await using _ = await store.advise('batchDone', fence)
      await store.done(31)
      await fence.has(1)
      expect([late, calls]).toEqual([0, before])
    }
  })

  it('not even of the event whose payload unadvises as it is read', async () => {
    const source = new AdviseSource<{ made: object }>({ events: ['made'] })
    for (const before of [0, 3]) {
      let calls = 0
      const connection = source.advise('made', () => calls++)
      for (let i = 0; i < before; i++) source.raise('made', { name: 'plain' })
      let ended: Promise<void> | undefined
      source.raise('made', {
        get name() {
          ended = connection.unadvise()
          return 'unadvises'
        },
      })
      await ended
      source.raise('made', { name: 'plain' })
      const last = gate()
      source.advise('made', () => last.open())
      source.raise('made', { name: 'last' })
      await last.opened
      expect(calls).toBe(0)
    }
  })

  it('a call in progress has returned', async () => {
    const entered = gate()
    const go = gate()
    let returned = false
    const connection = await store.advise('batchDone', async () => {
      entered.open()
      await go.opened
      returned = true
    })
    await store.done(1)
    await entered.opened
    const ending = connection.unadvise().then(() => returned)
    await store.connections()
    go.open()
    expect(await ending).toBe(true)
  })

  it('also for a sink on the thread of its source', async () => {
    const local = new Store()
    const entered = gate()
    const go = gate()
    const order: string[] = []
    const connection = local.advise('batchDone', async () => {
      entered.open()
      await go.opened
      order.push('returned')
    })
    local.done(1)
    await entered.opened
    local.done(2)
    const ending = connection.unadvise().then(() => order.push('unadvised'))
    go.open()
    await ending
    expect(order).toEqual(['returned', 'unadvised'])
  })

  it('what was raised before and not delivered is dropped', async () => {
    const local = new Store()
    const sink = new Collector()
    const connection = local.advise('batchDone', sink)
    local.done(1)
    await connection.unadvise()
    const fence = new Collector()
    local.advise('batchDone', fence)
    local.done(2)
    await fence.has(1)
    expect(sink.heard).toEqual([])
  })
})

describe('S26 unadvising from inside onNotify ends after the running call', () => {
  it.each(['local', 'remote'])('of a %s source, after an await as well', async (where) => {
    const provider = where === 'local' ? new Store() : store
    const order: string[] = []
    const over = gate()
    const connection: { unadvise(): Promise<void> } = await provider.advise('batchDone', {
      async onNotify() {
        order.push('called')
        await Promise.resolve()
        await connection.unadvise()
        order.push('unadvised')
        over.open()
      },
    })
    await provider.done(1)
    await over.opened
    await provider.done(2)
    const fence = new Collector()
    await provider.advise('batchDone', fence)
    await provider.done(3)
    await fence.has(1)
    expect(order).toEqual(['called', 'unadvised'])
  })

  it('of two that unadvise each other', async () => {
    const entered: Array<ReturnType<typeof gate<void>>> = [gate(), gate()]
    const over: Array<ReturnType<typeof gate<void>>> = [gate(), gate()]
    const connections: Array<{ unadvise(): Promise<void> }> = []
    for (const i of [0, 1]) {
      connections[i] = await store.advise('batchDone', async () => {
        entered[i].open()
        await entered[1 - i].opened
        await connections[1 - i].unadvise()
        over[i].open()
      })
    }
    await store.done(1)
    await Promise.all(over.map(({ opened }) => opened))
    expect(await store.connections()).toBe(0)
  })

  it('of another connection of the same sink, whose call waits behind this one', async () => {
    const over = gate()
    const called: unknown[] = []
    let first!: { unadvise(): Promise<void> }
    let second!: { unadvise(): Promise<void> }
    const sink = {
      async onNotify(batch: ReadonlyArray<{ payload: unknown }>) {
        called.push(...batch.map(({ payload }) => payload))
        await store.done(2)
        await store.create('behind')
        // Its batch has been sent by now and waits: the sink serves one call at a time.
        const fence = new Collector()
        await store.advise('objectCreated', fence)
        await store.create('fence')
        await fence.has(1)
        await Promise.all([first.unadvise(), second.unadvise()])
        over.open()
      },
    }
    first = await store.advise('batchDone', sink)
    second = await store.advise('objectCreated', sink)
    await store.done(1)
    await over.opened
    expect(called).toEqual([1])
    expect(await store.connections()).toBe(1)
  })
})

describe('S25 the source holds the sink', () => {
  it('after its client let go of everything', async () => {
    const heard = gate<unknown>()
    await (async () => {
      await store.advise('batchDone', { onNotify: heard.open })
    })()
    await store.done(5)
    expect(await heard.opened).toMatchObject([{ payload: 5 }])
  })
})

describe('S31 a sink whose thread dies', () => {
  it.each(['terminate', 'close'] as const)('by %s is unadvised, and the source goes on', async (how) => {
    const sinks = await openStores('sinks')
    const listener = await sinks.create('Listener')
    await listener.listen(store)
    const stays = new Collector()
    await store.advise('batchDone', stays)
    expect(await store.connections()).toBe(2)
    void store.done(0, 500)
    await sinks[how]()
    while ((await store.connections()) > 1);
    await store.done(500)
    expect((await stays.has(501)).payloads).toEqual(Array.from({ length: 501 }, (_, i) => i))
  })

  it('in the middle of a call is unadvised, and whoever waits for that is freed', async () => {
    const sinks = await openStores('sinks')
    const listener = await sinks.create('Listener')
    const called = gate()
    await listener.hang(store, called.open)
    await store.done(1)
    await called.opened
    await sinks.terminate()
    while ((await store.connections()) > 0);
  })
})

describe('types', () => {
  it('know which events may go without a payload', async () => {
    const source = new AdviseSource<{ emptied: undefined; closed: number }>({ events: ['emptied', 'closed'] })
    const heard: unknown[] = []
    source.advise('*', (batch) => void heard.push(...batch.map(({ event, payload }) => [event, payload])))
    source.raise('emptied')
    // @ts-expect-error a number is wanted
    source.raise('closed')
    expect(await source.raiseAndWait('emptied')).toEqual({ notified: 1, stopped: false })
    expect(heard).toEqual([
      ['emptied', undefined],
      ['closed', undefined],
      ['emptied', undefined],
    ])
  })

  it('know what each event carries', async () => {
    const source = new AdviseSource<{ opened: { path: string }; closed: number }>({ events: ['opened', 'closed'] })
    const seen: Array<string | number> = []
    const heard = gate()
    source.advise('opened', (batch) => seen.push(...batch.map(({ payload }) => payload.path)))
    source.advise(['opened', 'closed'], {
      onNotify(batch) {
        for (const now of batch) seen.push(now.event === 'closed' ? now.payload + 1 : now.payload.path)
        heard.open()
      },
    })
    // @ts-expect-error a number is wanted
    expect(() => source.raise('closed', Symbol('wrong'))).toThrow()
    // @ts-expect-error there is no such event
    expect(() => source.raise('moved', 1)).toThrow()
    source.raise('opened', { path: 'a' })
    source.raise('closed', 1)
    await heard.opened
    expect(seen).toEqual(['a', 'a', 2])
  })
})
