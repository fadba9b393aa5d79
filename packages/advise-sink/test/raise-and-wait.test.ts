import { type AdviseSink, AdviseSource, on, type RaiseOutcome, thisThreadAdviseSink } from '@flatshare/advise-sink'
import { type Apartment, blocking, type Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Collector, gate, openStores } from './stores.js'
import { Store, type StoreEvents, type StoreNotification } from './threads/store.js'

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

describe('S28 raiseAndWait', () => {
  it('calls one sink after the other, each after what was raised before', async () => {
    const local = new Store()
    const order: unknown[] = []
    const slow = gate()
    local.advise('batchDone', async (batch) => {
      order.push(['first', batch.map(({ payload }) => payload)])
      await slow.opened
    })
    local.advise('batchDone', (batch) => void order.push(['second', batch.map(({ payload }) => payload)]))
    local.done(1)
    const asked = local.ask(2)
    local.done(3)
    slow.open()
    expect(await asked).toEqual({ notified: 2, stopped: false })
    const after = new Collector()
    local.advise('batchDone', after)
    local.done(4)
    await after.has(1)
    expect(order.filter(([who]: any) => who === 'first').flatMap(([, payloads]: any) => payloads)).toEqual([1, 2, 3, 4])
    expect(order.filter(([who]: any) => who === 'second').flatMap(([, payloads]: any) => payloads)).toEqual([
      1, 2, 3, 4,
    ])
  })

  it('ends with a sink that answers stop, or resolves to it, here or there', async () => {
    const last = new Collector()
    await store.advise('batchDone', async () => 'stop')
    await store.advise('batchDone', last)
    expect(await store.ask(1)).toEqual({ notified: 1, stopped: true })
    await store.done(2)
    expect((await last.has(1)).payloads).toEqual([2])
  })

  it('goes on after a sink that throws, which is reported', async () => {
    const errors: unknown[] = []
    const failed = () => {
      throw new RangeError('no room')
    }
    await store.advise('batchDone', failed, { onError: (error) => errors.push(error) })
    await store.advise('batchDone', () => {})
    expect(await store.ask(1)).toEqual({ notified: 2, stopped: false })
    while (errors.length === 0) await store.connections()
    expect(errors[0]).toBeInstanceOf(RangeError)
  })

  it('resolves at once where nobody is advised, and forgets who is unadvised meanwhile', async () => {
    expect(await store.ask(1)).toEqual({ notified: 0, stopped: false })
    const local = new Store()
    const entered = gate()
    const go = gate()
    local.advise('batchDone', async () => {
      entered.open()
      await go.opened
    })
    const second = local.advise('batchDone', () => {})
    const asked = local.ask(1)
    await entered.opened
    await second.unadvise()
    go.open()
    expect(await asked).toEqual({ notified: 1, stopped: false })
  })

  it('ends by its timeout and by its signal; sinks after that are not called', async () => {
    const local = new Store()
    const never = gate()
    const called: number[] = []
    local.advise('batchDone', () => never.opened)
    local.advise('batchDone', (batch) => void called.push(...batch.map(({ payload }) => payload as number)))
    await expect(local.ask(1, { timeout: 1 })).rejects.toMatchObject({ name: 'TimeoutError' })
    const giving = new AbortController()
    const asked = local.ask(2, { signal: giving.signal })
    giving.abort(new RangeError('enough'))
    await expect(asked).rejects.toThrow('enough')
    await expect(local.ask(3, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    await expect(local.ask(4, { timeout: -1 })).rejects.toThrow(RangeError)
    never.open()
    local.done(5)
    const fence = new Collector()
    local.advise('batchDone', fence)
    local.done(6)
    await fence.has(1)
    expect(called).toEqual([5, 6])
  })

  it('is an error inside of a sink, of whatever source, and after an await', async () => {
    const other = new AdviseSource<{ inner: number }>({ events: ['inner'] })
    const results: Array<RaiseOutcome | string> = []
    const over = gate()
    other.advise('inner', () => {})
    await store.advise('batchDone', async () => {
      results.push(await other.raiseAndWait('inner', 1).catch((error: Error) => error.name))
      results.push(await store.ask(9).catch((error: Error) => error.name))
      over.open()
    })
    await store.done(1)
    await over.opened
    expect(results).toEqual(['DeadlockError', 'DeadlockError'])
    // What a sink of this thread has begun, and that goes on after it, may wait.
    const local = new Store()
    const left = gate<Promise<RaiseOutcome>>()
    const connection = local.advise('batchDone', () => {
      void (async () => {
        await new Promise((resolve) => setImmediate(resolve))
        await connection.unadvise()
        left.open(other.raiseAndWait('inner', 2))
      })()
    })
    local.done(1)
    expect(await left.opened).toEqual({ notified: 1, stopped: false })
  })

  it('is an error where a sink is wrapped by a thread that is blocked by it', async () => {
    await store.advise(
      'batchDone',
      thisThreadAdviseSink(() => {}),
    )
    expect(() => blocking(store).ask(1)).toThrow(expect.objectContaining({ name: 'DeadlockError' }))
    expect(await store.ask(2)).toEqual({ notified: 1, stopped: false })
  })

  it.each(['function', 'object'])('that is given up leaves its delivery to a %s going on', async (kind) => {
    const entered = gate()
    const go = gate()
    const [order, heard]: [string[], unknown[]] = [[], []]
    let running = 0
    const onNotify = async (batch: ReadonlyArray<{ payload: unknown }>) => {
      order.push(`called ${++running}`)
      heard.push(...batch.map(({ payload }) => payload))
      entered.open()
      await go.opened
      order.push(`returned ${running--}`)
    }
    const connection = await store.advise('batchDone', kind === 'function' ? onNotify : { onNotify })
    const giving = new AbortController()
    const asked = store.ask(1, { signal: giving.signal })
    await entered.opened
    giving.abort(new RangeError('enough'))
    await expect(asked).rejects.toThrow('enough')
    await store.done(2)
    await store.connections()
    const ending = connection.unadvise().then(() => order.push('unadvised'))
    await store.connections()
    go.open()
    await ending
    expect([order, heard]).toEqual([['called 1', 'returned 1', 'unadvised'], [1]])
  })

  it('that is given up leaves the sink of another thread, advised there, its one call at a time', async () => {
    const sinks = await openStores('sinks')
    const listener = await sinks.create('Listener')
    const local = new Store()
    const [first, second] = [gate(), gate()]
    const heard: unknown[] = []
    await listener.held(local.source(), (payloads) => {
      heard.push(...payloads)
      if (heard.length === 1) first.open()
      else second.open()
    })
    const giving = new AbortController()
    const asked = local.ask(1, { signal: giving.signal })
    await first.opened
    giving.abort(new RangeError('enough'))
    await expect(asked).rejects.toThrow('enough')
    local.done(2)
    // Whatever was sent is there by the answers of calls that were sent later.
    for (let i = 0; i < 10; i++) await listener.running()
    await listener.letGo()
    await second.opened
    expect([heard, await listener.running()]).toEqual([
      [1, 2],
      [1, 1],
    ])
    await sinks.close()
  })

  it('that is given up loses nothing that `on` was given', async () => {
    const source = (await store.source()) as AdviseSource<StoreEvents>
    const called = gate()
    const provider = {
      advise: (events: 'batchDone', sink: AdviseSink<StoreNotification>) =>
        source.advise(events, {
          onNotify(batch) {
            called.open()
            return sink.onNotify(batch)
          },
        }),
    }
    const notifications = on(provider, 'batchDone')
    const giving = new AbortController()
    const asked = source.raiseAndWait('batchDone', 1, { signal: giving.signal })
    await called.opened
    giving.abort(new RangeError('enough'))
    await expect(asked).rejects.toThrow('enough')
    source.raise('batchDone', 2)
    await store.connections()
    expect((await notifications.next()).value).toMatchObject({ payload: 1 })
    expect((await notifications.next()).value).toMatchObject({ payload: 2 })
    await notifications.return!()
  })
})
