import { type Apartment, callWith, type Remote, release } from '@flatshare/apartment'
import { DisconnectedError, marshal, NotMarshalableError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Crossing } from '../apartments.js'
import { Money, type Row, type Source } from '../threads/crossing.js'
import { hasEnded } from './has-ended.js'
import { crossingOpener, type Opener } from './opener.js'

/** What a call gives, rather than the promise of it. */
const arrived = async <T>(result: T): Promise<T> => result

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

export function iterables(open: Opener): void {
  const openCrossing = crossingOpener(open)

  let apartment: Apartment<Crossing>
  let other: Apartment<Crossing>
  let source: Remote<Source>

  beforeAll(async () => {
    ;[apartment, other] = await Promise.all([openCrossing('home'), openCrossing('other')])
    source = await apartment.create('Source')
  })
  afterAll(() => Promise.all([apartment.close(), other.close()]))

  /** Resolves once `look` gives what is wanted: turns of the other thread pass meanwhile, by the calls themselves. */
  async function until(look: () => Promise<boolean>): Promise<void> {
    while (!(await look()));
  }

  describe('results that are iterated', () => {
    it('arrive whole and in order, awaited or not', async () => {
      const numbers = Array.from({ length: 1000 }, (_, i) => i + 1)
      expect(await all(source.count(1000))).toEqual(numbers)
      expect(await all(await arrived(source.count(1000)))).toEqual(numbers)
      expect(await all(source.slowCount(100))).toEqual(numbers.slice(0, 100))
    })

    it('of sync generators, too', async () => {
      const fresh = await apartment.create('Source')
      expect(await all((await arrived(fresh.plainCount(5))) as unknown as AsyncIterable<number>)).toEqual([
        1, 2, 3, 4, 5,
      ])
      expect(await fresh.seen()).toEqual(['end'])
    })

    it('end with what the generator returned, once', async () => {
      const counting = await arrived(source.count(1))
      expect(await counting.next()).toEqual({ done: false, value: 1 })
      expect(await counting.next()).toEqual({ done: true, value: 'counted' })
      expect(await counting.next()).toEqual({ done: true, value: undefined })
      expect(await counting.return('mine')).toEqual({ done: true, value: 'mine' })
    })

    it('answer what is asked at once in its order', async () => {
      const counting = await arrived(source.count(5))
      const asked = await Promise.all(Array.from({ length: 7 }, () => counting.next()))
      expect(asked.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 'counted', undefined])
    })

    it('end at home when the loop breaks, without having run far ahead', async () => {
      const fresh = await apartment.create('Source')
      for await (const n of fresh.count(1e6)) if (n === 10) break
      const seen = await fresh.seen()
      expect(seen.at(-1)).toBe('end')
      expect(seen.length).toBeLessThan(10 + 10)
      const slow = await apartment.create('Source')
      for await (const n of slow.slowCount(1e6)) if (n === 3) break
      expect(await slow.seen()).toEqual([1, 2, 3, 'end'])
    })

    it('are not run before somebody asks', async () => {
      const fresh = await apartment.create('Source')
      const counting = await arrived(fresh.count(3))
      expect(await fresh.seen()).toEqual([])
      expect(await counting.return('unused')).toEqual({ done: true, value: 'unused' })
      expect(await fresh.seen()).toEqual([])
    })

    it('throw what the generator throws, after what came before', async () => {
      const taken: number[] = []
      const loop = async () => {
        for await (const n of source.failing(20)) taken.push(n)
      }
      const error = await loop().catch((thrown: unknown) => thrown as Error)
      expect(error).toBeInstanceOf(RangeError)
      expect((error as Error).stack).toMatch(/failing[\s\S]*--- on the thread "home" ---/)
      expect(taken).toHaveLength(20)
    })

    it('take values and errors', async () => {
      const talk = await arrived(source.echo())
      expect(await talk.next()).toEqual({ done: false, value: 'ready' })
      expect(await talk.next('a')).toEqual({ done: false, value: 'a' })
      expect(await talk.throw(new Error('thrown in'))).toEqual({ done: false, value: ['caught', 'thrown in'] })
      expect(await talk.next({ b: 1 })).toEqual({ done: false, value: { b: 1 } })
      expect(await talk.return('over')).toEqual({ done: true, value: 'over' })
      expect(await talk.next('c')).toEqual({ done: true, value: undefined })
      await expect((await arrived(source.count(1))).throw(new TypeError('at once'))).rejects.toThrow('at once')
    })

    it('a loop ends also where the generator has run ahead into a wait', async () => {
      const taken: number[] = []
      for await (const n of source.fewThenNothing()) {
        taken.push(n)
        if (n === 3) break
      }
      expect(taken).toEqual([1, 2, 3])
    })

    it('an iterator by hand keeps its own ways: its return ends a step that waits', async () => {
      const fresh = await apartment.create('Source')
      const changes = await arrived(fresh.changes())
      const waiting = changes.next()
      await until(async () => (await fresh.change('first')) > 0)
      expect(await waiting).toEqual({ done: false, value: ['first'] })
      const open = changes.next()
      await fresh.listeners()
      expect(await changes.return!()).toEqual({ done: true, value: undefined })
      expect(await open).toEqual({ done: true, value: undefined })
      expect(await fresh.listeners()).toBe(0)
    })

    it('give what can cross by reference, as copies of their class, or moved', async () => {
      const [first, second] = (await all(source.dependents())) as [
        { deep: [(x: number) => Promise<number>, object] },
        Uint8Array,
      ]
      expect(await first.deep[0](1)).toBe(2)
      expect(first.deep[1]).toBeInstanceOf(Money)
      expect(second).toEqual(new Uint8Array([1, 2, 3]))
    })

    it('reject at an item that cannot cross, and end at home', async () => {
      const fresh = await apartment.create('Source')
      const items = await arrived(fresh.uncrossable())
      expect(await items.next()).toMatchObject({ value: 1 })
      await expect(items.next()).rejects.toThrow(NotMarshalableError)
      expect(await items.next()).toEqual({ done: true, value: undefined })
      await until(async () => (await fresh.seen()).includes('end'))
    })

    it('give each item as it was when it was yielded', async () => {
      const ids = Array.from({ length: 100 }, (_, i) => i + 1)
      expect((await all(source.rows(100))).map(({ id }) => id)).toEqual(ids)
      const rows = (await all(source.rows(100, true))) as unknown as Row[]
      expect(rows.map(({ id }) => id)).toEqual(ids)
      const read = rows.map(async (row, i) => [i + 1, await (row.read as (() => unknown) | undefined)?.()])
      expect(await Promise.all(read)).toEqual(ids.map((id) => [id, id % 3 === 0 ? id : undefined]))
    })

    it.each(['item', 'deep item', 'port', 'result'] as const)(
      'give every good item before a bad %s, then the error',
      async (last) => {
        for (let good = 0; good <= 20; good++) {
          const taken: unknown[] = []
          const loop = async () => {
            for await (const item of source.goodThen(good, last)) taken.push(item)
          }
          await expect(loop()).rejects.toThrow(NotMarshalableError)
          expect(taken).toEqual(Array.from({ length: good }, (_, i) => i))
        }
      },
    )

    it('that are iterables are iterated afresh each time', async () => {
      const fresh = await apartment.create('Source')
      const { numbers } = (await fresh.iterable()) as { numbers: AsyncIterable<number> }
      expect(await all(numbers)).toEqual([1, 2, 3])
      expect(await all(numbers)).toEqual([1, 2, 3])
      expect(await fresh.seen()).toEqual(['begin', 'begin'])
    })

    it('S2 take their turn: a step is a call of its own', async () => {
      const fresh = await apartment.create('Source')
      const steps = await arrived(fresh.steps())
      const most: unknown[] = []
      for (let i = 0; i < 20; i++) most.push(...(await Promise.all([steps.next(), fresh.busy(), fresh.busy()])))
      await steps.return(undefined)
      expect(await fresh.busy()).toBe(1)
      expect(most).toHaveLength(60)
    })
  })

  describe('arguments that are iterated', () => {
    it('at any depth, by generators of either kind', async () => {
      const ended: string[] = []
      async function* letters() {
        try {
          yield* ['a', 'b', 'c']
        } finally {
          ended.push('letters')
        }
      }
      expect(await source.takeDeep({ from: [{ items: letters() }] })).toEqual(['a', 'b', 'c'])
      expect(await source.take(letters(), 2)).toEqual(['a', 'b'])
      expect(ended).toEqual(['letters', 'letters'])
      function* sync() {
        yield 1
        yield Promise.resolve(2)
      }
      expect(await source.take(sync() as never, 9)).toEqual([1, 2])
      expect(await source.take(new Map([['k', 1]]).entries() as never, 9)).toEqual([['k', 1]])
    })

    it('arrive each as it was when it was yielded', async () => {
      async function* rows() {
        const row = { id: 0 }
        for (row.id = 1; row.id <= 100; row.id++) yield row
      }
      function* plainRows() {
        const row = new Map([['id', 0]])
        for (let id = 1; id <= 100; id++) yield row.set('id', id)
      }
      const ids = Array.from({ length: 100 }, (_, i) => i + 1)
      expect(await source.take(rows(), 1000)).toEqual(ids.map((id) => ({ id })))
      expect(await source.take(plainRows() as never, 1000)).toEqual(ids.map((id) => new Map([['id', id]])))
    })

    it('arrive, as views of one large buffer, with what each shows', async () => {
      const large = new ArrayBuffer(1 << 20)
      function* views() {
        for (let i = 0; i < 100; i++) {
          const bytes = new Uint8Array(large, 8 * i, 8).fill(i)
          yield bytes
          yield new DataView(large, 8 * i, 8)
          yield new Uint16Array(large, 8 * i, 4)
          yield Buffer.from(large, 8 * i, 8)
          bytes.fill(255)
        }
      }
      const taken = (await source.take(views() as never, 1000)) as ArrayBufferView[]
      const classes = ['Uint8Array', 'DataView', 'Uint16Array', 'Uint8Array']
      expect(taken.map((view) => view.constructor.name)).toEqual(Array.from({ length: 100 }, () => classes).flat())
      const shown = taken.map(({ buffer, byteOffset, byteLength }) => [
        ...new Uint8Array(buffer, byteOffset, byteLength),
      ])
      expect(shown).toEqual(Array.from({ length: 400 }, (_, i) => new Array(8).fill(Math.floor(i / 4))))
    })

    it('are pulled only as they are taken', async () => {
      let made = 0
      async function* endless() {
        for (;;) yield ++made
      }
      expect(await source.take(endless(), 50)).toHaveLength(50)
      expect(made).toBeLessThan(130)
    })
  })

  describe('S8 identity', () => {
    it('one iterator is one there, and comes home as itself', async () => {
      const mine = (async function* () {
        yield 1
      })()
      await source.keep(mine)
      expect(await source.same(mine)).toBe(true)
      expect(await source.back()).toBe(mine)
      const iterable = { [Symbol.asyncIterator]: () => mine }
      await source.keep(iterable)
      expect(await source.same(iterable)).toBe(true)
      expect(await source.back()).toBe(iterable)
    })

    it('handed on, it is iterated at its home, begun or not', async () => {
      const far = await other.create('Source')
      async function* numbers() {
        yield* [1, 2, 3, 4]
      }
      await source.keep(numbers())
      expect(await source.pass(far, 9)).toEqual([1, 2, 3, 4])
      await source.keep(numbers())
      expect(await source.keptNext()).toEqual({ done: false, value: 1 })
      expect(await source.pass(far, 9)).toEqual([2, 3, 4])
    })
  })

  describe('S13 a thread that ends', () => {
    it('rejects the loop over what it gave', async () => {
      const doomed = await openCrossing('doomed')
      const there = await doomed.create('Source')
      const items = await arrived(there.fewThenNothing())
      expect(await items.next()).toMatchObject({ value: 1 })
      let tookAll!: () => void
      const taken = new Promise<void>((resolve) => {
        tookAll = resolve
      })
      const take = async () => {
        for await (const item of items) if (item === 4) tookAll()
      }
      const rest = take()
      // From then on it waits for a fifth, which doesn't come: it asks for nothing of a thread that is being closed.
      await taken
      await doomed.terminate()
      await expect(rest).rejects.toThrow(DisconnectedError)
      await expect(rest).rejects.toThrow(new RegExp(`asyncIterator\\.next\\(\\): ${hasEnded('doomed')}`))
      expect(await items.next()).toEqual({ done: true, value: undefined })
      const unused = (await items.return(undefined)) as object
      expect(unused).toEqual({ done: true, value: undefined })
    })

    it('ends, at home, the generators that it was iterating', async () => {
      const doomed = await openCrossing('doomed')
      const there = await doomed.create('Source')
      let ended!: () => void
      const end = new Promise<void>((resolve) => {
        ended = resolve
      })
      async function* endless() {
        try {
          for (;;) yield 1
        } finally {
          ended()
        }
      }
      await expect(there.takeAndExit(endless())).rejects.toThrow(DisconnectedError)
      await end
    })

    it('a break after the end of the thread is no error', async () => {
      const doomed = await openCrossing('doomed')
      const there = await doomed.create('Source')
      for await (const n of there.slowCount(100)) {
        expect(n).toBe(1)
        await doomed.terminate()
        break
      }
    })
  })

  describe('what can not be', () => {
    it('S12 a step after the object was disconnected: its generator ends', async () => {
      const fresh = await apartment.create('Source')
      const steps = await arrived(fresh.count(1e6))
      expect(await steps.next()).toEqual({ done: false, value: 1 })
      const log = await fresh.logOnceDisconnected()
      await expect(steps.next()).rejects.toThrow(/Source was disconnected/)
      expect(await log()).toEqual([1, 'end'])
    })

    it('a table packet with an iterator', () => {
      expect(() => marshal([1].values(), { table: true })).toThrow(/A table packet can't carry an iterator/)
    })

    it('a released object gives no more generators', async () => {
      const fresh = await apartment.create('Source')
      release(fresh)
      await expect(all(fresh.count(1))).rejects.toThrow(DisconnectedError)
    })

    it('a call that is given up gives no loop', async () => {
      const items = callWith(source, { signal: AbortSignal.abort(new RangeError('no')) }).count(1)
      await expect(all(items)).rejects.toThrow('no')
    })
  })
}
