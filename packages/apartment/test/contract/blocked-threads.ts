import { Apartment, blocking, callWith, type Remote, release, serve } from '@flatshare/apartment'
import { byReference, CannotBlockError, DisconnectedError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { gate } from '../apartments.js'
import type { Relay } from '../threads/blocker.js'
import type { Opener } from './opener.js'

type Blocker = typeof import('../threads/blocker.js')

const url = new URL('../threads/blocker.js', import.meta.url)

export function blockedThreads(open: Opener): void {
  let one: Apartment<Blocker>
  let two: Apartment<Blocker>
  let relay: Remote<Relay>
  let other: Remote<Relay>

  beforeAll(async () => {
    one = await open<Blocker>(url, { name: 'one' })
    two = await open<Blocker>(url, { name: 'two' })
    relay = await one.create('Relay')
    other = await two.create('Relay')
  })

  afterAll(async () => {
    await one.close()
    await two.close()
  })

  describe('a blocking call', () => {
    test('gives results, values of properties and errors at once, on the main thread too', () => {
      const blocked = blocking(relay)
      expect(blocked.add(1, 2)).toBe(3)
      expect(blocked.addLater(2, 3)).toBe(5)
      expect(blocked.runs).toBe(1)
      expect(() => blocked.fail()).toThrow(expect.objectContaining({ name: 'RangeError', message: 'out of range' }))
      expect(blocking(one.remote).shout('hi')).toBe('HI')
    })

    test('has one view for one proxy, which shows and crosses as the proxy does', () => {
      const view = blocking(relay)
      expect(blocking(relay)).toBe(view)
      expect(blocking(view)).toBe(view)
      expect(String(view)).toContain('Blocking<Relay>')
      expect(view.backLater(() => relay)).toBe(relay)
      expect(view.backLater(() => view as never)).toBe(relay)
    })

    test('takes a function of another thread', async () => {
      const shout = await relay.backLater(() => (text: string) => text.toUpperCase())
      expect(typeof shout).toBe('function')
      let heard = ''
      // It comes home as itself: the direct call.
      heard = blocking(shout as (text: string) => string)('home')
      expect(heard).toBe('HOME')
    })

    test('sends before it what was called without waiting, in order', async () => {
      const fresh = await one.create('Relay')
      const first = fresh.note('first')
      const second = fresh.note('second')
      expect(blocking(fresh).notes()).toEqual(['first', 'second'])
      await Promise.all([first, second])
    })

    test('settles other calls meanwhile, whose reactions run later', async () => {
      const reactions: string[] = []
      const awaited = other.add(3, 4).then((sum) => void reactions.push(`other: ${sum}`))
      expect(blocking(relay).addLater(1, 1)).toBe(2)
      expect(reactions).toEqual([])
      await awaited
      expect(reactions).toEqual(['other: 7'])
    })
  })

  describe('S16 a thread that blocks', () => {
    test('serves what its own call has led to, blocking and awaiting, over the same link', () => {
      let served = 0
      const callback = () => ++served
      expect(blocking(relay).back(callback)).toBe(1)
      expect(blocking(relay).backLater(callback)).toBe(2)
    })

    test('serves it over a third thread, by a link that was made meanwhile', () => {
      const thread = blocking(relay)
      expect(thread.viaOther(other as never, () => 'main')).toBe('main')
      expect(thread.viaOtherLater(other, () => 'main')).toBe('main')
      const callback = () => 'three threads'
      expect(thread.chain(callback, other as never, relay as never, other as never)).toBe('three threads')
    })

    test('serves it to any depth', () => {
      const depth = 60
      expect(blocking(relay).pingPong(other as never, relay as never, depth)).toBe(depth)
      let left = depth
      const down = (): number => (left-- > 0 ? 1 + (blocking(relay).back(down) as number) : 0)
      expect(down()).toBe(depth)
    })

    test('passes on what a nested call throws', () => {
      const callback = () => {
        throw new RangeError('no further')
      }
      expect(() => blocking(relay).back(callback)).toThrow(expect.objectContaining({ name: 'RangeError' }))
    })

    test('tells the caller of a callback that gives a promise why it can not settle', () => {
      const callback = async () => 1
      const refused = expect.objectContaining({
        name: 'CannotBlockError',
        message: expect.stringMatching(/^callback\(\) gave a promise.*"main", is blocked in Relay\.back\(\)/),
      })
      expect(() => blocking(relay).back(callback)).toThrow(refused)
      expect(() => blocking(relay).backLater(callback)).toThrow(
        expect.objectContaining({ message: expect.stringContaining('blocked in Relay.backLater()') }),
      )
    })

    test('serves calls of others afterwards, in their order', async () => {
      const order: string[] = []
      const calls: Promise<unknown>[] = []
      // Sent by the other thread before the blocked one of this thread ends: by then they have arrived.
      calls.push(two.remote.callBack(() => order.push('first')))
      calls.push(two.remote.callBack(() => order.push('second')))
      blocking(other).add(0, 0)
      order.push('unblocked')
      await Promise.all(calls)
      expect(order).toEqual(['unblocked', 'first', 'second'])
    })

    test('refuses a nested call to an object that is busy, whose turn could never come', async () => {
      const { open, opened } = gate()
      const begun = gate()
      const busy = byReference({
        async stay() {
          begun.open()
          await opened
        },
        count: () => 1,
      })
      const staying = other.stayWith(busy)
      await begun.opened
      const refused = expect.objectContaining({
        name: 'DeadlockError',
        message: expect.stringMatching(
          /"main" waits for Relay\.use.*count\(\), called on "main".*stay\(\), which awaits on "main"/,
        ),
      })
      expect(() => blocking(relay).useOf(busy as never)).toThrow(refused)
      expect(() => blocking(relay).useLater(busy as never)).toThrow(refused)
      open()
      await staying
      expect(blocking(relay).useOf(busy as never)).toBe(1)
    })

    test('S17 refuses at once to wait for its own object, busy with what only it can go on with', async () => {
      const { open, opened } = gate()
      const begun = gate()
      class Own {
        async stay(): Promise<void> {
          begun.open()
          await opened
        }
        count(): number {
          return 2
        }
      }
      serve({ Own })
      const own = (await Apartment.current.create('Own')) as Remote<Own>
      expect(blocking(own).count()).toBe(2)
      const staying = own.stay()
      await begun.opened
      expect(() => blocking(own).count()).toThrow(expect.objectContaining({ name: 'DeadlockError' }))
      expect(() => blocking(own).stay()).toThrow(expect.objectContaining({ name: 'DeadlockError' }))
      open()
      await staying
      expect(() => blocking(own).stay()).toThrow(expect.objectContaining({ name: 'CannotBlockError' }))
    })
  })

  describe('a blocking call ends', () => {
    test('by its timeout, which its thread hears of, and passes on', async () => {
      const fresh = await one.create('Relay')
      expect(() => blocking(callWith(fresh, { timeout: 30 })).hang()).toThrow(
        expect.objectContaining({ name: 'TimeoutError', message: expect.stringContaining('Relay.hang()') }),
      )
      expect(blocking(fresh).notes()).toEqual(['gave up: TimeoutError'])
      const deadline = blocking(callWith(fresh, { timeout: 60_000 })).deadline()!
      expect(deadline).toBeGreaterThan(Date.now())
      expect(deadline).toBeLessThanOrEqual(Date.now() + 60_000)
    })

    test('S17 by a TimeoutError, where its thread only awaits for 30 s; not where that goes on, or blocks', () => {
      let passed = 0
      const { now } = Date
      vi.spyOn(Date, 'now').mockImplementation(() => now() + passed)
      const later = () => (passed += 31_000)
      try {
        expect(() => blocking(relay).stall(later)).toThrow(
          expect.objectContaining({
            name: 'TimeoutError',
            message: expect.stringMatching(
              /^Waited 30000 ms for .*"one".*Relay\.stall\(\) has begun there, and awaits/,
            ),
          }),
        )
        expect(blocking(relay).back(later)).toBe(62_000)
        expect(blocking(relay).backLater(later)).toBe(93_000)
        expect(blocking(relay).notes()).toContain('gave up: TimeoutError')
      } finally {
        vi.restoreAllMocks()
      }
    })

    test.each(['exit', 'exitLater', 'crash'] as const)('S13 by the end of its thread: %s', async (way) => {
      const doomed = await open<Blocker>(url, { name: 'doomed' })
      const proxy = await doomed.create('Relay')
      const another = await doomed.create('Relay')
      const pending = another.hang().catch((error: unknown) => error)
      const start = Date.now()
      let thrown: unknown
      try {
        if (way === 'crash') blocking(callWith(proxy, { timeout: 20_000 })).crash()
        else blocking(proxy)[way]()
      } catch (error) {
        thrown = error
      }
      expect(thrown).toBeInstanceOf(DisconnectedError)
      expect(thrown).toMatchObject({ mayHaveRun: true, message: expect.stringContaining('"doomed"') })
      expect(Date.now() - start).toBeLessThan(10_000)
      expect(await pending).toBeInstanceOf(DisconnectedError)
      expect(() => blocking(proxy).add(1, 1)).toThrow(expect.objectContaining({ mayHaveRun: false }))
      await doomed.close()
    })

    test('before it is made, where the proxy was released', async () => {
      const fresh = await one.create('Relay')
      release(fresh)
      expect(() => blocking(fresh).add(1, 1)).toThrow(expect.objectContaining({ name: 'DisconnectedError' }))
    })
  })

  describe('blocking an object of this thread', () => {
    class Counter {
      #count = 0
      label = 'counter'
      get count(): number {
        return this.#count
      }
      add(by: number): number {
        return (this.#count += by)
      }
      async addLater(by: number): Promise<number> {
        return this.add(by)
      }
      addSoon(by: number): Promise<number> {
        return Promise.resolve(this.add(by))
      }
    }

    test('calls its methods directly', () => {
      const counter = new Counter()
      const view = blocking(counter)
      expect(view.add(2)).toBe(2)
      expect(view.count).toBe(2)
      expect(view.label).toBe('counter')
      expect(view.add).toBe(view.add)
      expect(blocking(counter)).toBe(view)
    })

    test('refuses what gives a promise, an async method before it runs', () => {
      const counter = new Counter()
      expect(() => blocking(counter).addLater(1)).toThrow(CannotBlockError)
      expect(counter.count).toBe(0)
      expect(() => blocking(counter).addSoon(1)).toThrow(/addSoon\(\) .* gives a promise/)
      expect(() => blocking(async () => 1)()).toThrow(CannotBlockError)
      expect(blocking((x: number) => x + 1)(1)).toBe(2)
    })

    test('refuses anything else', () => {
      expect(() => blocking(1 as never)).toThrow(TypeError)
      expect(() => blocking(null as never)).toThrow(TypeError)
    })
  })
}
