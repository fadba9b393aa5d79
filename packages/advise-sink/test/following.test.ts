/** Events of a run aren't pushed to sinks that follow it: in whatever order others come between, no sink sees a difference. */
import { type AdviseConnection, AdviseSource } from '@flatshare/advise-sink'
import { Apartment } from '@flatshare/apartment'
import { RaisedEvent, RaisedRun, type RunPart } from '@flatshare/core/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { random as numbersOf } from '../../core/dist-test/random.js'
import { NotificationQueue } from '../dist/notification-queue.js'
import type { Flood } from './threads/recorder.js'

type Recorder = typeof import('./threads/recorder.js')
type Event = keyof Flood

let there: Apartment<Recorder>
beforeAll(async () => {
  there = await Apartment.open<Recorder>(new URL('./threads/recorder.js', import.meta.url))
})
afterAll(() => there.close())

const turn = () => new Promise((resolve) => setImmediate(resolve))

let sinks = 0
/** Advises a sink of the other thread; gives how to compare what it has heard with what was raised since. */
async function advise(source: AdviseSource<Flood>, raised: unknown[][], mask: readonly [Event, ...Event[]]) {
  const number = sinks++
  const sink = await there.remote.listing(number)
  const from = raised.length
  const connection: AdviseConnection = source.advise<Event>(mask, sink)
  return async () => {
    const to = raised.length
    // What waits for its turn is heard of before.
    await source.raiseAndWait(mask[0]!, 'last')
    raised.push([mask[0], 'last', raised.length + 1])
    await connection.unadvise()
    const wanted = raised.slice(from).filter(([event]) => mask.includes(event as Event))
    expect(await there.remote.listed(number)).toEqual(wanted)
    expect(to).toBeGreaterThan(from)
  }
}

describe('S29 each event once and in order, of many kinds', () => {
  it.each([1, 2, 3, 4, 5, 6])('in a flood of the seed %i', async (seed) => {
    const random = numbersOf(seed)
    const source = new AdviseSource<Flood>({ events: ['tick', 'moved', 'other'] })
    const raised: unknown[][] = []
    const raise = (event: Event, payload: any, noted: unknown = payload) => {
      source.raise(event, payload)
      raised.push([event, noted, raised.length + 1])
    }
    const events = ['moved', 'tick', 'other'] as const
    const deeds: ReadonlyArray<() => unknown> = [
      () => {
        for (let i = random(60); i >= 0; i--) raise('moved', { id: i, name: 'Inbox' })
      },
      () => {
        for (let i = random(30); i >= 0; i--) raise('tick', i)
      },
      () => raise(events[random(3)]!, { deep: [random(9)] }),
      () => raise(events[random(3)]!, { id: random(9), name: 'other' }),
      // Reading it raises, an event like it or another one.
      () => {
        const inner = events[random(3)]!
        const payload = {
          get id() {
            raise(inner, { id: -1, name: 'inner' })
            return 7
          },
          name: 'outer',
        }
        raise('moved', payload, { id: 7, name: 'outer' })
      },
      () => {
        const failing = {
          id: 1,
          get name() {
            throw new Error('not readable')
          },
        }
        expect(() => source.raise('moved', failing)).toThrow('not readable')
      },
      async () => {
        const payload = { id: random(9), name: 'waited for' }
        const waited = source.raiseAndWait('moved', payload)
        raised.push(['moved', payload, raised.length + 1])
        if (random(2)) await waited
      },
      turn,
      turn,
    ]
    const checks = [await advise(source, raised, ['moved', 'tick', 'other']), await advise(source, raised, ['moved'])]
    for (let i = 0; i < 150; i++) {
      await deeds[random(deeds.length)]!()
      if (i % 40 === 20) checks.push(await advise(source, raised, i % 3 ? ['tick', 'moved'] : ['other']))
      if (i % 60 === 50) await checks.shift()!()
    }
    for (const check of checks) await check()
  })
})

describe('a queue whose last part grows', () => {
  const count = { last: 0 }
  const begun = () => RaisedRun.of('e', 1, count)!
  const queue = (limit = 65_536) => new NotificationQueue({ limit }, () => {})
  const taken = (from: NotificationQueue, marked = false) =>
    (from.take(marked) as { events: RunPart } | undefined)?.events

  it('has what was added to the run, without any push', () => {
    const [waiting, run] = [queue(), begun()]
    waiting.pushLast(run)
    expect(waiting.follow(run)).toBe(true)
    for (let i = 2; i <= 5; i++) run.add('e', i, count)
    expect(waiting.size).toBe(5)
    // Nor by one too many.
    waiting.pushLast(run)
    expect([waiting.size, taken(waiting)]).toMatchObject([5, { from: 0, to: 5 }])
    expect([run.isClosed, waiting.size, waiting.isEmpty]).toEqual([true, 0, true])
  })

  it('delivers none that came after the mark', () => {
    const [waiting, run] = [queue(), begun()]
    waiting.pushLast(run)
    waiting.follow(run)
    run.add('e', 2, count)
    waiting.mark()
    run.add('e', 3, count)
    expect(taken(waiting, true)).toBeUndefined()
    waiting.mark()
    expect(taken(waiting, true)).toMatchObject({ from: 0, to: 3 })
  })

  it('closes the run where something comes behind it', () => {
    for (const comes of ['event', 'turn', 'run'] as const) {
      const [waiting, run] = [queue(), begun()]
      waiting.pushLast(run)
      waiting.follow(run)
      run.add('e', 2, count)
      if (comes === 'event') waiting.push(new RaisedEvent('f', {}, undefined, count))
      else if (comes === 'turn') {
        waiting.pushTurn({ raised: new RaisedEvent('f', {}, undefined, count), isAllowed: true, droppedAfter: 0 })
      } else waiting.pushLast(begun())
      expect([comes, run.isClosed, run.add('e', 3, count)]).toEqual([comes, true, false])
      expect([waiting.size, taken(waiting)]).toMatchObject([comes === 'turn' ? 2 : 3, { from: 0, to: 2 }])
    }
  })

  it('grows only where all that the run may take has room, and where nothing is coalesced', () => {
    const small = queue(2_000)
    const run = begun()
    small.pushLast(run)
    expect(small.follow(run)).toBe(false)
    const coalescing = new NotificationQueue({ policy: 'coalesce' }, () => {})
    const blocking = new NotificationQueue({ policy: 'block' }, () => {})
    for (const other of [coalescing, blocking]) {
      other.pushLast(run)
      expect(other.follow(run)).toBe(false)
    }
    const behind = queue()
    behind.pushLast(run)
    run.add('e', 2, count)
    expect(behind.follow(run)).toBe(false)
    behind.pushLast(run)
    run.close()
    expect(behind.follow(run)).toBe(false)
  })
})
