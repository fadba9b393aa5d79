import {
  type AdviseConnection,
  type AdviseEvent,
  type AdviseProvider,
  type AdviseRequest,
  AdviseSource,
  dispatchPending,
  eventTarget,
  on,
} from '@flatshare/advise-sink'
import { type Apartment, blocking, type Remote } from '@flatshare/apartment'
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

describe('on', () => {
  it.each(['local', 'remote'])('iterates over a %s source, and unadvises when it is left', async (where) => {
    const provider = where === 'local' ? new Store() : store
    const notifications = on(provider, 'batchDone')
    // In order behind what has advised.
    await provider.connections()
    await provider.done(0, 5000)
    const payloads: number[] = []
    for await (const { payload, event } of notifications) {
      expect(event).toBe('batchDone')
      if (payloads.push(payload) === 5000) break
    }
    expect(payloads).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    expect(await provider.connections()).toBe(0)
    expect(await notifications.next()).toEqual({ done: true, value: undefined })
  })

  it('leaves what it has not taken to the queue, and its policy', async () => {
    const local = new Store()
    const entered = on(local, 'batchDone', { queue: { limit: 3 } })
    local.done(0)
    expect((await entered.next()).value).toMatchObject({ payload: 0 })
    local.done(1, 100)
    const rest = [await entered.next(), await entered.next(), await entered.next()]
    expect(rest.map(({ value }) => [value.payload, value.dropped])).toEqual([
      [98, 97],
      [99, undefined],
      [100, undefined],
    ])
    await entered.return!()
  })

  it('gives several that wait one each', async () => {
    const local = new Store()
    const notifications = on(local, '*')
    const both = Promise.all([notifications.next(), notifications.next(), notifications.next()])
    local.done(1, 2)
    local.create('a')
    expect((await both).map(({ value }) => value.sequence)).toEqual([1, 2, 3])
    const waiting = notifications.next()
    await notifications.return!()
    expect(await waiting).toEqual({ done: true, value: undefined })
  })

  it('throws the reason of its signal, after what has come', async () => {
    const local = new Store()
    const ending = new AbortController()
    const notifications = on(local, 'batchDone', { signal: ending.signal })
    local.done(1, 2)
    expect((await notifications.next()).value.payload).toBe(1)
    ending.abort(new RangeError('enough'))
    expect((await notifications.next()).value.payload).toBe(2)
    await expect(notifications.next()).rejects.toThrow('enough')
    expect(await notifications.next()).toEqual({ done: true, value: undefined })
    expect(local.connections()).toBe(0)
    expect(() => on(local, 'batchDone', { signal: AbortSignal.abort() })).toThrow()
  })

  it('ends with its connection, fails with its thread, and with an event that there is not', async () => {
    const source = new AdviseSource<{ a: number }>({ events: ['a'] })
    const connections: AdviseConnection[] = []
    const provider = {
      advise(...request: AdviseRequest<{ a: number }>): AdviseConnection {
        connections.push(source.advise(...request))
        return connections.at(-1)!
      },
    }
    const ended = on(provider, 'a')
    const waiting = ended.next()
    await connections[0]!.unadvise()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(() => on(provider, 'b' as 'a')).toThrow(/doesn't raise "b"/)
    await expect(on(store, 'never' as 'batchDone').next()).rejects.toThrow(/doesn't raise "never"/)
    expect(() => on({} as AdviseProvider, 'a')).toThrow(TypeError)
    const mortal = await openStores('mortal')
    const there = await mortal.create('Store')
    const lost = on(there, 'batchDone')
    await there.connections()
    const last = lost.next()
    await mortal.terminate()
    await expect(last).rejects.toMatchObject({ name: 'DisconnectedError' })
  })
})

describe('eventTarget', () => {
  it.each(['local', 'remote'])('is a %s source as an EventTarget: advised while somebody listens', async (where) => {
    const provider = where === 'local' ? new Store() : store
    await using events = eventTarget(provider)
    const heard: unknown[] = []
    const three = gate()
    const listener = (event: AdviseEvent) => {
      heard.push([event.type, event.detail, event.notification.sequence, Object.isFrozen(event.notification)])
      if (heard.length === 3) three.open()
    }
    const once = { handleEvent: (event: AdviseEvent) => heard.push(['once', event.detail]) }
    events.addEventListener('batchDone', listener)
    events.addEventListener('batchDone', listener)
    events.addEventListener('batchDone', once, { once: true })
    expect(await provider.connections()).toBe(1)
    await provider.done(1, 2)
    await three.opened
    expect(heard).toEqual([
      ['batchDone', 1, 1, true],
      ['once', 1],
      ['batchDone', 2, 2, true],
    ])
    const ending = new AbortController()
    events.addEventListener('objectCreated', listener, { signal: ending.signal })
    expect(await provider.connections()).toBe(2)
    ending.abort()
    while ((await provider.connections()) > 1);
    events.removeEventListener('batchDone', listener)
    while ((await provider.connections()) > 0);
  })

  it('ends all by its dispose', async () => {
    const local = new Store()
    const events = eventTarget(local)
    const heard: unknown[] = []
    events.addEventListener('batchDone', ({ detail }) => heard.push(detail))
    local.done(1)
    await events[Symbol.asyncDispose]()
    expect([local.connections(), heard]).toEqual([0, []])
    events.addEventListener('batchDone', () => heard.push('late'))
    expect(local.connections()).toBe(0)
    expect(() => eventTarget(new Store()).addEventListener('never' as 'batchDone', () => {})).toThrow(/"never"/)
  })
})

describe('S32 dispatchPending', () => {
  it('delivers what other threads have sent, and serves nothing else', async () => {
    const sink = new Collector()
    const called: string[] = []
    await store.advise('batchDone', sink)
    await store.keep(() => called.push('called'))
    blocking(store).doneAndSent(0, 10)
    expect(sink.heard.length).toBe(0)
    expect([dispatchPending(), sink.payloads]).toEqual([10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
    expect(called).toEqual([])
    while (called.length === 0) await store.connections()
    expect(dispatchPending()).toBe(0)
  })

  it('does not await promises, and keeps the order; a running sink is left alone', async () => {
    const local = new Store()
    const order: unknown[] = []
    const go = gate()
    const counts: number[] = []
    local.advise('batchDone', async (batch) => {
      order.push(...batch.map(({ payload }) => payload))
      await go.opened
    })
    local.advise('objectCreated', () => {
      counts.push(dispatchPending())
    })
    local.done(1)
    expect(dispatchPending()).toBe(1)
    local.done(2)
    expect(dispatchPending()).toBe(0)
    local.create('a')
    expect(dispatchPending()).toBe(1)
    expect([order, counts]).toEqual([[1], [0]])
    go.open()
    while (order.length < 2) await Promise.resolve().then(() => store.connections())
    expect(order).toEqual([1, 2])
  })

  it.each(['itself', 'another one'])('lets a listener for once add %s', async (what) => {
    const source = new AdviseSource<{ tick: number }>({ events: ['tick'] })
    const target = eventTarget(source)
    const heard: unknown[] = []
    const done = gate()
    const listener = ({ detail }: AdviseEvent) => {
      heard.push(detail)
      target.addEventListener('tick', what === 'itself' ? listener : another, { once: true })
      if (detail === 3) done.open()
    }
    const another = ({ detail }: AdviseEvent) => {
      heard.push(detail)
      if (detail < 3) target.addEventListener('tick', another, { once: true })
      else done.open()
    }
    target.addEventListener('tick', listener, { once: true })
    for (let i = 1; i <= 3; i++) source.raise('tick', i)
    await done.opened
    expect(heard).toEqual([1, 2, 3])
    await target[Symbol.asyncDispose]()
    expect(source.connections).toBe(0)
  })
})
