// One suite for every way to compile a provider or a sink, over every kind of link: the fixtures, on real threads.
import { dispatchPending, on, thisThreadAdviseSink } from '@flatshare/advise-sink'
import { Apartment, type LinkKind, type Remote } from '@flatshare/apartment'
import {
  CannotBlockError,
  currentThread,
  FlatshareError,
  initialize,
  marshal,
  modelOf,
  WrongThreadError,
} from '@flatshare/core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

type Fixtures = typeof import('../fixtures/dialects/advising.js')

export async function adviseSuite(dialect: string, link: LinkKind): Promise<void> {
  const module = new URL(`../dialects/${dialect}/advising.js`, import.meta.url)
  const { Ledger, Local, FreeSink } = (await import(module.href)) as Fixtures

  describe(`${dialect}, over ${link}`, () => {
    let home: Apartment<Fixtures>
    let other: Apartment<Fixtures>
    let store: Remote<InstanceType<Fixtures['Store']>>

    beforeAll(async () => {
      ;[home, other] = await Promise.all(
        ['home', 'other'].map((name) => Apartment.open<Fixtures>(module, { name, link })),
      )
    })
    afterAll(() => Promise.all([home.close(), other.close()]))
    beforeEach(async () => {
      store = await home.create('Store')
    })

    /** Until a sink has heard of so many; it counts by itself, so nothing is waited for but that. */
    function collector() {
      const heard: Array<{ event: string; payload: any; sequence: number; target?: unknown }> = []
      let wake = () => {}
      return {
        heard,
        sink: (batch: readonly any[]) => {
          heard.push(...batch)
          wake()
        },
        async has(count: number) {
          while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
          return heard
        },
      }
    }

    it('S21 a sink without a decorator is called on its own thread, one batch at a time', async () => {
      const here: number[] = []
      const { sink, has } = collector()
      await store.advise('counted', (batch) => {
        here.push(currentThread.id)
        sink(batch)
      })
      const there = await other.create('ApartmentSink')
      await store.advise('counted', there as never)
      await store.count(0, 100)
      await has(100)
      while ((await there.heard()).length < 100);
      expect(new Set(here)).toEqual(new Set([currentThread.id]))
      expect(await there.called()).toEqual([[other.threadId], 1])
    })

    it('S24 advise gives a connection, unadvise ends it', async () => {
      const connection = await store.advise('counted', () => {})
      expect(await store.connections()).toBe(1)
      await connection.unadvise()
      expect(await store.connections()).toBe(0)
      await expect(connection.unadvise()).rejects.toThrow(/spent/)
      await connection[Symbol.asyncDispose]()
      await expect(store.advise('deleted' as never, () => {})).rejects.toThrow(/doesn't raise "deleted"/)
      const ledger = new Ledger()
      const local = ledger.advise('*', () => {})
      expect(ledger.source.connections).toBe(1)
      await ledger.source.unadvise(local)
      expect(ledger.source.connections).toBe(0)
      await expect(store.unadvise(connection)).rejects.toThrow(FlatshareError)
    })

    it('S25 the source holds the sink', async () => {
      const { sink, has } = collector()
      await (() => store.advise('counted', (batch) => sink(batch)))()
      await store.count(5, 6)
      expect((await has(1))[0]!.payload).toBe(5)
    })

    it('S26 after unadvise the sink is not called', async () => {
      const client = await other.create('Client')
      await client.advise(store)
      void store.count(0, 1000)
      await client.unadvise()
      const before = (await client.heard()).length
      await store.count(0, 10)
      const { sink, has } = collector()
      await store.advise('counted', sink)
      await store.count(0, 1)
      await has(1)
      expect((await client.heard()).length).toBe(before)
    })

    it('S27 (a) a free-threaded sink runs on the first thread, whichever raises', async () => {
      await using _flatshare = initialize({ notifications: 'first-thread' })
      const sink = new FreeSink()
      const connection = await store.advise('counted', sink)
      await store.count(1, 5)
      while (sink.heard < 4) await store.connections()
      expect([sink.sum, sink.thread]).toEqual([10, currentThread.id])
      await connection.unadvise()
    })

    it('S27 (b) a wrapped one runs on the thread that wrapped it, in each mode', async () => {
      for (const notifications of ['first-thread', 'service-thread'] as const) {
        await using _flatshare = initialize({ notifications })
        const sink = new FreeSink()
        const { sink: note, has } = collector()
        const wrapped = thisThreadAdviseSink((batch: readonly any[]) => {
          sink.onNotify(batch)
          note(batch)
        })
        await using _connection = await store.advise('counted', wrapped)
        await store.count(1, 5)
        await has(4)
        expect([sink.sum, sink.thread]).toEqual([10, currentThread.id])
      }
    })

    it("S27 (c) free-threaded sinks, and those named by module, run on a thread of Flatshare's own", async () => {
      await using _flatshare = initialize({ notifications: 'service-thread' })
      const sink = new FreeSink()
      const named = new URL(module)
      named.hash = 'onNotify'
      const source = new Local().source
      const byObject = source.advise('counted', sink)
      const byName = source.advise('created', named)
      source.raise('counted', 7)
      while (sink.heard < 1) await store.connections()
      expect([currentThread.id, home.threadId, other.threadId]).not.toContain(sink.thread)
      const service = sink.thread
      // The named one is given a free-threaded object, and calls it.
      source.raise('created', sink as never)
      while (sink.heard < 2) await store.connections()
      expect([sink.sum, sink.thread]).toEqual([8, service])
      await Promise.all([byObject.unadvise(), byName.unadvise()])
    })

    it('S28 a cause returns before the sink hears; raiseAndWait waits, and a sink may stop it', async () => {
      const order: string[] = []
      const connections = [
        await store.advise('created', () => void order.push('first')),
        await store.advise('created', () => {
          order.push('second')
          return 'stop'
        }),
        await store.advise('created', () => void order.push('third')),
      ]
      expect(await store.ask('a')).toEqual({ notified: 2, stopped: true })
      expect(order).toEqual(['first', 'second'])
      await connections[1]!.unadvise()
      expect(await store.ask('b')).toEqual({ notified: 2, stopped: false })
      await store.advise('counted', () => store.ask('c').catch((error: Error) => order.push(error.name)))
      await store.count(0, 1)
      while (!order.includes('DeadlockError')) await store.connections()
      expect(order.filter((one) => one === 'first').length).toBe(2)
    })

    it('S29 each once, in order, frozen, of the moment of raising', async () => {
      const { sink, has } = collector()
      await store.advise('*', sink)
      await store.create('inbox')
      await store.count(0, 5000)
      const heard = await has(5001)
      expect(heard[0]).toEqual({ event: 'created', payload: { name: 'inbox', sizes: [1] }, sequence: 1 })
      expect(Object.isFrozen(heard[0]!.payload.sizes)).toBe(true)
      expect(heard.slice(1).map(({ payload, sequence }) => [payload, sequence])).toEqual(
        Array.from({ length: 5000 }, (_, i) => [i, i + 2]),
      )
    })

    it('S29 of a free-threaded provider, whichever threads raise: one order for all', async () => {
      const ledger = new Ledger()
      const mine = collector()
      ledger.advise('counted', mine.sink)
      const clients = await Promise.all([home.create('Client'), other.create('Client')])
      await clients[0]!.advise(ledger)
      await Promise.all([clients[0]!.post(ledger, 500), clients[1]!.post(ledger, 500)])
      for (let i = 0; i < 500; i++) ledger.post(1)
      await mine.has(1500)
      while ((await clients[0]!.heard()).length < 1500);
      const expected = Array.from({ length: 1500 }, (_, i) => ['counted', i + 1, i + 1])
      expect(mine.heard.map(({ event, payload, sequence }) => [event, payload, sequence])).toEqual(expected)
      expect(await clients[0]!.heard()).toEqual(expected)
      await clients[0]!.unadvise()
    })

    it('S30 queues are bounded, by a policy', async () => {
      const source = new Local().source
      const dropping = collector()
      const coalescing = collector()
      source.advise('counted', dropping.sink, { queue: { limit: 3 } })
      source.advise('*', coalescing.sink, { queue: { policy: 'coalesce' } })
      const blocking = source.advise('counted', () => {}, { queue: { limit: 10, policy: 'block' } })
      for (let i = 0; i < 10; i++) source.raise('counted', i)
      expect(() => source.raise('counted', 10)).toThrow(CannotBlockError)
      await source.room()
      await dropping.has(3)
      await coalescing.has(1)
      expect(dropping.heard).toMatchObject([{ payload: 7, dropped: 7 }, { payload: 8 }, { payload: 9 }])
      expect(coalescing.heard).toMatchObject([{ payload: 9 }])
      await blocking.unadvise()
    })

    it('S31 a sink that throws is reported, and the others go on', async () => {
      const { sink, has } = collector()
      const errors = collector()
      await store.advise(
        'counted',
        () => {
          throw new RangeError('full')
        },
        { onError: (error) => errors.sink([error]) },
      )
      await store.advise('counted', sink)
      await store.count(0, 1)
      await has(1)
      expect((await errors.has(1))[0]).toBeInstanceOf(RangeError)
    })

    it('S32 dispatchPending delivers what waits, now', async () => {
      const source = new Local().source
      const { sink, heard } = collector()
      source.advise('counted', sink)
      for (let i = 0; i < 3; i++) source.raise('counted', i)
      expect([dispatchPending(), heard.length, dispatchPending()]).toEqual([3, 3, 0])
    })

    it('S33 events and targets filter at the source', async () => {
      const { sink, has } = collector()
      await store.advise('created', sink, { target: 'drafts' })
      await store.create('a', 'inbox')
      await store.count(0, 3)
      await store.create('b', 'drafts')
      const heard = await has(1)
      expect(heard).toMatchObject([{ payload: { name: 'b' }, target: 'drafts', sequence: 5 }])
    })

    it('a source crosses as itself, whatever the model of its provider', async () => {
      const source = new Local().source
      expect(modelOf(source)).toBe('free')
      expect(() => marshal(new Local())).toThrow(WrongThreadError)
      const notifications = on(source, 'counted')
      const client = await other.create('Client')
      const ledger = new Ledger()
      ledger.source = source
      await client.post(ledger, 3)
      const payloads: unknown[] = []
      for await (const { payload } of notifications) if (payloads.push(payload) === 3) break
      expect(payloads).toEqual([1, 2, 3])
      expect(source.connections).toBe(0)
    })
  })
}
