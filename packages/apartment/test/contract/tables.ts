import { isDeepStrictEqual } from 'node:util'
import { type Apartment, callWith, type Remote, serve } from '@flatshare/apartment'
import { byReference, NotMarshalableError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Counter, functionsNamed, manyNames } from '../threads/loaded.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)

/** Faster than `toEqual`, which says more where they differ. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
}

export function tables(open: Opener): void {
  let apartment: Apartment<Loaded>
  let counter: Remote<Counter>

  beforeAll(async () => {
    apartment = await open<Loaded>(loaded)
    counter = await apartment.create('Counter')
  })
  afterAll(() => apartment.close())

  describe('values of 5,000 shapes', () => {
    const shaped = (i: number) => ({
      [`key ${i}`]: i,
      [i % 2 ? 'ä' : '€']: { [`inner ${i % 777}`]: [i], '': null },
      [i % 5]: undefined,
      same: { x: i, y: -i },
    })

    it('arrive, again and again, in both directions', async () => {
      for (let round = 0; round < 3; round++) {
        for (let at = 0; at < 5000; at += 100) {
          const some = Array.from({ length: 100 }, (_, i) => shaped(at + i))
          expectSame(await Promise.all(some.map((each) => counter.echo(each))), some)
          expectSame(await counter.echo(some), some)
          expectSame(await Promise.all(some.map((each) => counter.callBack(() => each))), some)
        }
      }
    })

    it('and of the same keys in another order keep their order', async () => {
      for (const keys of [
        ['a', 'b', 'c'],
        ['c', 'b', 'a'],
        ['b', 'a', 'c'],
        ['a', 'b'],
        ['a', 'b', 'c'],
      ]) {
        const value = Object.fromEntries(keys.map((key, i) => [key, i]))
        expect(Object.entries((await counter.echo(value)) as object)).toEqual(Object.entries(value))
      }
    })

    it('that couldn’t be sent leave none that the other side doesn’t know', async () => {
      for (let i = 0; i < 300; i++) {
        const key = `refused ${i}`
        await expect(counter.echo({ [key]: 1, deep: { [`${key}, deep`]: new WeakMap() } })).rejects.toThrow(
          NotMarshalableError,
        )
        const value = { [key]: 1, deep: { [`${key}, deep`]: i } }
        expect(await counter.echo(value)).toEqual(value)
      }
    })

    it('that were too large for one record leave none either', async () => {
      for (const bytes of [1000, 20_000, 70_000, 2_000_000]) {
        const value = () => ({ [`large ${bytes}`]: { [`small ${bytes}`]: 1 }, bytes: new Uint8Array(bytes) })
        const all = await Promise.all([counter.echo(value()), counter.echo(value()), counter.echo(value())])
        expectSame(all, [value(), value(), value()])
      }
    })

    it('whose calls nobody decodes are known afterwards', async () => {
      for (let i = 0; i < 50; i++) {
        const signal = AbortSignal.abort('given up')
        const value = () => ({ [`dropped ${i}`]: { [`dropped ${i}, deep`]: [1] } })
        // A member that isn't there: the arguments of the call are let go of.
        const refused = (counter as any).echo(value(), value())
        await callWith(counter, { signal })
          .echo(value())
          .catch(() => {})
        await refused
        expect(await counter.echo(value())).toEqual(value())
      }
    })
  })

  describe('methods of many names', () => {
    it('33,000 of one object are called, again and again', async () => {
      const many: any = await apartment.remote.many
      for (const round of [0, 1]) {
        for (let at = 0; at < manyNames.length; at += 1000) {
          const names = manyNames.slice(at, at + 1000)
          expect(await Promise.all(names.map((name) => many[name](round)))).toEqual(names.map((n) => `${n} ${round}`))
        }
      }
    })

    it('33,000 of an object of the main thread’s, and 1,000 that don’t exist', async () => {
      const functions = functionsNamed(manyNames)
      // What this thread serves is reached through `Apartment.main`, which is another one's own in another process.
      if (open.sharesMemory) {
        serve({ manyOfMain: functions })
        expect(await apartment.remote.callAllOfMain('manyOfMain')).toEqual([])
        expect(await apartment.remote.refusedByMain(1000)).toEqual([])
      } else expect(await apartment.remote.callAllOf(byReference(functions))).toEqual([])
      expect(await counter.echo('still here')).toBe('still here')
    })
  })
}
