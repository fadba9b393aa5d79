/** Events that are alike go together, by columns; their sinks never see a difference. */
import { AdviseSource } from '@flatshare/advise-sink'
import { Apartment } from '@flatshare/apartment'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Flood } from './threads/recorder.js'

type Recorder = typeof import('./threads/recorder.js')

let there: Apartment<Recorder>
let source: AdviseSource<Flood>
let raised: Array<{ event: keyof Flood; payload: unknown; sequence: number }>

beforeAll(async () => {
  there = await Apartment.open<Recorder>(new URL('./threads/recorder.js', import.meta.url))
})
afterAll(() => there.close())
beforeEach(() => {
  source = new AdviseSource<Flood>({ events: ['tick', 'moved', 'other'] })
  raised = []
})
afterEach(async () => {
  expect(await there.remote.allFrozen()).toBe(true)
})

function raise<E extends keyof Flood>(event: E, payload: Flood[E]): void {
  raised.push({ event, payload: structuredClone(payload), sequence: raised.length + 1 })
  source.raise(event, payload)
}

const heard = () => there.remote.take(raised.length)

describe('S29 floods: each event once, in order, as it was', () => {
  beforeEach(async () => {
    source.advise('*', await there.remote.sink())
  })

  it('of one shape, in one turn and in many', async () => {
    for (let i = 0; i < 10_000; i++) {
      raise('moved', { id: i, name: 'Inbox', at: i / 7 })
      if (i % 700 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await heard()).toEqual(raised)
  })

  it('of primitive values', async () => {
    for (let i = 0; i < 5_000; i++) raise('tick', i)
    for (const value of ['a', 'b', null, undefined, 7n, 7n, 7n]) raise('tick', value)
    expect(await heard()).toEqual(raised)
  })

  it('of numbers of every kind', async () => {
    const numbers = [0, -0, 0, NaN, 1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 0.5, Infinity, -Infinity]
    for (let i = 0; i < 300; i++) raise('tick', 5)
    for (const number of numbers) raise('tick', number)
    for (let i = 0; i < 300; i++) raise('moved', { x: i, y: 0 })
    for (const number of numbers) raise('moved', { x: number, y: -number })
    expect(await heard()).toEqual(raised)
  })

  it('whose values change their type, and whose keys change', async () => {
    for (let i = 0; i < 100; i++) raise('moved', { a: i, b: 'x' })
    for (let i = 0; i < 100; i++) raise('moved', { a: `${i}`, b: i })
    for (let i = 0; i < 100; i++) raise('moved', { b: i, a: 'x' })
    for (let i = 0; i < 100; i++) raise('moved', i % 3 ? { a: i } : { a: i, b: 2, c: 3 })
    for (let i = 0; i < 100; i++) raise('moved', i % 10 ? { a: i } : { a: { deep: [i] } })
    for (let i = 0; i < 100; i++) raise('moved', i % 10 ? { a: i } : [i])
    for (let i = 0; i < 100; i++) raise('moved', { 1: i, 0: 'first' })
    for (let i = 0; i < 100; i++) raise('moved', {})
    expect(await heard()).toEqual(raised)
  })

  it('of several events, taking turns or one after the other', async () => {
    for (let i = 0; i < 3_000; i++) raise(i % 2 ? 'moved' : 'other', { i })
    for (let i = 0; i < 3_000; i++) raise(i % 100 < 90 ? 'moved' : 'other', { i })
    expect(await heard()).toEqual(raised)
  })

  it('with a payload that changes afterwards, and one whose property is computed', async () => {
    const payload = { count: 0, name: 'same' }
    for (let i = 0; i < 500; i++) {
      payload.count = i
      raise('moved', payload)
    }
    for (let i = 0; i < 50; i++) {
      raise('moved', {
        get count() {
          return i * 2
        },
        name: 'computed',
      })
    }
    expect(await heard()).toEqual(raised)
  })

  it('whose sequence numbers are in order also where reading a payload raises', async () => {
    const sequences: number[] = []
    for (const warm of [0, 1, 5, 70]) {
      for (let i = 0; i < warm; i++) source.raise('moved', { id: i })
      source.raise('moved', {
        get id() {
          source.raise('moved', { id: 'inner' })
          return 'outer'
        },
      })
      source.raise('moved', { id: 'after' })
      const batch = await there.remote.take(warm + 3)
      expect(batch.slice(warm).map(({ payload }) => (payload as any).id)).toEqual(['inner', 'outer', 'after'])
      sequences.push(...batch.map(({ sequence }) => sequence))
    }
    expect(sequences).toEqual(sequences.map((_, i) => i + 1))
  })

  it('while reading a payload raises, or throws', async () => {
    for (let i = 0; i < 100; i++) source.raise('moved', { a: i, b: 0 })
    source.raise('moved', {
      a: -1,
      get b() {
        source.raise('moved', { a: -2, b: 0 })
        return 1
      },
    })
    const failing = {
      a: -3,
      get b() {
        throw new Error('not readable')
      },
    }
    expect(() => source.raise('moved', failing)).toThrow('not readable')
    for (let i = 100; i < 200; i++) source.raise('moved', { a: i, b: 0 })
    const numbers = (await there.remote.take(202)).map(({ payload }) => (payload as { a: number }).a)
    const inOrder = numbers.filter((a) => a >= 0)
    expect(inOrder).toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect(numbers.filter((a) => a < 0).sort()).toEqual([-1, -2])
  })
})

describe('S29 floods to several sinks', () => {
  it('each of which has asked for other events', async () => {
    source.advise('moved', await there.remote.sink())
    for (let i = 0; i < 4_000; i++) source.raise(i % 4 === 3 ? 'other' : 'moved', { i })
    const notifications = await there.remote.take(3_000)
    expect(notifications.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 4_000 }, (_, i) => i + 1).filter((sequence) => sequence % 4 !== 0),
    )
  })

  it('one of which comes in the middle, on this thread', async () => {
    source.advise('tick', await there.remote.sink())
    for (let i = 0; i < 100; i++) raise('tick', i)
    const here: unknown[] = []
    const all = new Promise<void>((resolve) => {
      source.advise('tick', (batch) => {
        here.push(...batch)
        if (here.length === 100) resolve()
      })
    })
    for (let i = 100; i < 200; i++) raise('tick', i)
    await all
    expect(here).toEqual(raised.slice(100))
    expect(await heard()).toEqual(raised)
  })
})

describe('S30 floods beyond the limit of a queue', () => {
  it('lose the oldest, and say how many', async () => {
    source.advise('tick', await there.remote.sink(true), { queue: { limit: 50 } })
    raise('tick', -1)
    await new Promise((resolve) => setImmediate(resolve))
    for (let i = 0; i < 5_000; i++) raise('tick', i)
    await there.remote.letGo()
    const notifications = await there.remote.take(51)
    expect(notifications.map(({ payload }) => payload)).toEqual([
      -1,
      ...Array.from({ length: 50 }, (_, i) => 4_950 + i),
    ])
    expect(notifications[1]).toEqual({ event: 'tick', payload: 4_950, sequence: 4_952, dropped: 4_950 })
  })

  it('wait for their sink, in one turn, where the queue blocks: some batches are on their way meanwhile', async () => {
    source.advise('*', await there.remote.sink(), { queue: { policy: 'block', limit: 20_000 } })
    for (let i = 0; i < 80_000; i++) raise(i % 30_000 === 7 ? 'other' : 'moved', { id: i, name: 'Inbox' })
    expect(await heard()).toEqual(raised)
    // What was on its way is over: there is room for as many as before.
    for (let i = 0; i < 80_000; i++) raise('tick', i)
    expect(await there.remote.take(80_000)).toEqual(raised.slice(80_000))
  })
})
