import { inspect } from 'node:util'
import {
  collectGarbage,
  dispose,
  HeapFullError,
  heapStatistics,
  limitHeap,
  ref,
  SharedVector,
} from '@flatshare/free-threaded'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { Account } from './classes.js'
import { startThread as start } from './thread.js'

const startThread = () => start('./threads/containers.js')

const ELEMENTS: Record<string, unknown[]> = {
  i8: [-128, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
  i32: [-2147483648, 2147483647],
  u32: [0, 4294967295],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  f32: [0.5, -Infinity, Number.NaN],
  f64: [0.1, -0, Number.MAX_VALUE, Number.NaN],
  bool: [true, false],
  string: ['', 'a', 'ÿ', '\ud800', '😀', 'x'.repeat(500)],
  json: [null, undefined, { a: [1] }, [], 'text', new Map([[1, 2]])],
  bytes: [new Uint8Array(0), new Uint8Array([1, 2, 3])],
}

describe('what Array does', () => {
  test.each(Object.keys(ELEMENTS))('elements of the type %s, on two threads', async (type) => {
    const elements = ELEMENTS[type]!
    const vector = new SharedVector<any>({ of: type as 'json' }, elements)
    expect(vector.slice()).toEqual(elements)
    for (const [index, element] of elements.entries()) vector.set(elements.length - 1 - index, element)
    expect(vector.toJSON()).toEqual(elements.toReversed())
    expect(await startThread().run('entries', vector)).toEqual(elements.toReversed())
  })

  test('null is no object that would be let go', () => {
    collectGarbage()
    const { objects } = heapStatistics()
    const accounts = Array.from({ length: 200 }, () => new Account())
    const vector = new SharedVector(
      { of: ref(Account) },
      accounts.map(() => null),
    )
    for (let round = 0; round < 10; round++) {
      for (const [i, account] of accounts.entries()) vector.set(i, account)
      expect(vector.slice()).toEqual(accounts)
      for (const i of accounts.keys()) vector.set(i, null)
    }
    vector.clear()
    expect(heapStatistics().objects).toBe(objects + 201)
    dispose(vector)
    for (const account of accounts) dispose(account)
    expect(heapStatistics().objects).toBe(objects)
  })

  test('references keep their objects', () => {
    const before = heapStatistics().objects
    const vector = new SharedVector({ of: ref(Account) })
    const account = new Account()
    vector.push(account, null, account)
    expect(vector.slice()).toEqual([account, null, account])
    expect([vector.indexOf(account, 1), vector.pop() === account, vector.length]).toEqual([2, true, 2])
    expect(heapStatistics().objects).toBe(before + 2)
    vector[Symbol.dispose]()
    expect(heapStatistics().objects).toBe(before + 1)
    expect(account.deposit(1)).toBe(1)
  })

  test('indices', () => {
    const vector = new SharedVector({ of: 'f64' }, [1, 2, 3])
    expect([vector.get(0), vector.get(3), vector.get(-1), vector.get(0.5)]).toEqual([
      1,
      undefined,
      undefined,
      undefined,
    ])
    expect([vector.at(-1), vector.at(-4), vector.at(1.7), vector.at(Number.NaN)]).toEqual([3, undefined, 2, 1])
    for (const index of [3, -1, 0.5, Number.NaN]) expect(() => vector.set(index, 1)).toThrow(RangeError)
    expect(() => vector.set('0' as never, 1)).toThrow(TypeError)
    expect(() => vector.set(0, 'x' as never)).toThrow(/The element of SharedVector.set is shared as f64/)
    expect(vector.update(1, (n) => n * 10)).toBe(20)
    expect(() => vector.update(3, (n) => n)).toThrow(RangeError)
    expectTypeOf(vector.get(0)).toEqualTypeOf<number | undefined>()
    expectTypeOf(new SharedVector<{ a: string[] }>({ of: 'json' }, [{ a: [] }]).at(0)!.a).toEqualTypeOf<
      readonly string[]
    >()
  })

  test('it shows itself, and says what it takes', () => {
    const vector = new SharedVector({ of: 'string' }, ['a', 'b'])
    expect(inspect(vector)).toBe("SharedVector(2) [ 'a', 'b' ]")
    expect(JSON.stringify(vector)).toBe('["a","b"]')
    expect(`${vector}`).toBe('[object SharedVector]')
    expect(() => new SharedVector({} as never)).toThrow(/needs a type/)
    expect(() => new SharedVector({ of: 'u8' }, [1, -1])).toThrow(RangeError)
  })

  test('a refused element changes nothing', () => {
    const vector = new SharedVector<any>({ of: 'json' }, [1, 2])
    expect(() => vector.push(3, () => {})).toThrow(TypeError)
    expect(() => vector.splice(0, 1, 5, { f: () => {} })).toThrow()
    expect(() => vector.unshift(Symbol('no'))).toThrow(TypeError)
    expect(vector.slice()).toEqual([1, 2])
  })

  test('a json element whose getter comes back to the vector', () => {
    const vector = new SharedVector<any>({ of: 'json' })
    const back = {
      get inner() {
        vector.push('inner')
        return 1
      },
    }
    vector.push(back, back)
    vector.splice(1, 1, back)
    vector.fill(back, 0, 1)
    // Each getter has run before its method has looked at the elements.
    const object = { inner: 1 }
    expect(vector.slice()).toEqual([object, object, object, object, 'inner', 'inner'])
  })

  test('sort, as Array does; its function runs inside', () => {
    const numbers = [3, 1, 10, 2]
    const vector = new SharedVector({ of: 'f64' }, numbers)
    expect(vector.sort().slice()).toEqual([...numbers].sort())
    expect(vector.sort((a, b) => a - b).slice()).toEqual([1, 2, 3, 10])
    expect(vector.reverse().slice()).toEqual([10, 3, 2, 1])
    expect(() => vector.sort(5 as never)).toThrow(/takes a function/)
    const growing = () =>
      vector.sort(() => {
        vector.push(1)
        return 0
      })
    expect(growing).toThrow(/changed the vector's length/)
    const optional = new SharedVector<any>({ of: 'json' }, ['b', undefined, 'a'])
    expect(optional.sort().slice()).toEqual(['a', 'b', undefined])
  })

  test('what only looks works on a copy', () => {
    const vector = new SharedVector({ of: 'f64' }, [1, 2, 3])
    const doubled = vector.map((value) => {
      vector.push(value)
      return value * 2
    })
    expect([doubled, vector.length]).toEqual([[2, 4, 6], 6])
    expect(vector.reduce((sum, value) => sum + value)).toBe(12)
    expect(vector.reduce((text, value) => text + value, '')).toBe('123123')
    expect([vector.find((value) => value > 1), vector.findIndex((value) => value > 1)]).toEqual([2, 1])
    expect([vector.includes(3), vector.lastIndexOf(1), vector.some((v) => v > 3), vector.every((v) => v > 0)]).toEqual([
      true,
      3,
      false,
      true,
    ])
    expect([vector.join('-'), [...vector.keys()].length, [...vector.entries()][1]]).toEqual(['1-2-3-1-2-3', 6, [1, 2]])
    expect(() => vector.map(5 as never)).toThrow(TypeError)
  })

  test('a queue of any length stays small', () => {
    const vector = new SharedVector({ of: 'string' })
    vector.push('first')
    const before = heapStatistics().bytesUsed
    for (let i = 0; i < 20_000; i++) {
      vector.push(`${i}`)
      vector.shift()
    }
    expect(vector.slice()).toEqual(['19999'])
    expect(heapStatistics().bytesUsed - before).toBeLessThan(1024)
    vector.clear()
    expect(vector.length).toBe(0)
  })
})

describe('as Array does, at random', () => {
  const kinds = { f64: fc.double(), string: fc.string({ maxLength: 30 }), json: fc.jsonValue({ maxDepth: 1 }) }
  const index = fc.integer({ min: -6, max: 12 })
  const maybe = fc.option(index, { nil: undefined })
  for (const type of Object.keys(kinds) as (keyof typeof kinds)[]) {
    test(`of ${type}`, () => {
      const values = fc.array(kinds[type] as fc.Arbitrary<any>, { minLength: 1, maxLength: 5 })
      const name = fc.constantFrom(
        'push',
        'pop',
        'shift',
        'unshift',
        'splice',
        'splice2',
        'fill',
        'reverse',
        'set',
        'clear',
      )
      const step = fc.tuple(name, values, index, maybe)
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
          using vector = new SharedVector<any>({ of: type as 'json' })
          const model: any[] = []
          for (const [name, given, start, end] of steps) {
            if (name === 'push' || name === 'unshift') expect(vector[name](...given)).toBe(model[name](...given))
            else if (name === 'pop' || name === 'shift') expect(vector[name]()).toEqual(model[name]())
            else if (name === 'splice') expect(vector.splice(start)).toEqual(model.splice(start))
            else if (name === 'splice2') {
              expect(vector.splice(start, end ?? 1, ...given)).toEqual(model.splice(start, end ?? 1, ...given))
            } else if (name === 'fill') {
              vector.fill(given[0], start, end)
              model.fill(given[0], start, end)
            } else if (name === 'reverse') {
              vector.reverse()
              model.reverse()
            } else if (name === 'clear' && start > 10) {
              vector.clear()
              model.length = 0
            } else if (name === 'set' && start >= 0 && start < model.length) {
              vector.set(start, given[0])
              model[start] = given[0]
            }
            expect(vector.length).toBe(model.length)
            expect(vector.slice(start, end)).toEqual(model.slice(start, end))
          }
          expect([...vector]).toEqual(model)
        }),
        { numRuns: 80 },
      )
    })
  }
})

describe('several threads', () => {
  test('S3 what four threads push is all there, in the order of each', { timeout: 60_000 }, async () => {
    const vector = new SharedVector({ of: 'i32' })
    const ranges = [0, 1, 2, 3].map((i) => [i * 3000, (i + 1) * 3000] as const)
    await Promise.all(ranges.map((range) => startThread().run('push', vector, range)))
    const all = vector.slice()
    expect(all).toHaveLength(12_000)
    for (const [from, to] of ranges) {
      const ours = all.filter((value) => value >= from && value < to)
      expect(ours).toEqual(Array.from({ length: to - from }, (_, i) => from + i))
    }
  })

  test('S13 threads killed at any moment leave a vector that is whole', { timeout: 60_000 }, async () => {
    const vector = new SharedVector({ of: 'string' })
    for (let round = 0; round < 6; round++) {
      const threads = [1, 2].map(() => startThread())
      await Promise.all(threads.map((thread, i) => thread.run('churnVector', vector, round * 2 + i)))
      for (let i = 0; i < 50 * round; i++) vector.push('word 1')
      await Promise.all(threads.map((thread) => thread.worker.terminate()))
      for (const word of vector) expect(word).toMatch(/^word \d+$/)
      expect(vector.slice()).toHaveLength(vector.length)
    }
    vector.clear()
    collectGarbage()
  })
})

test('memory runs out, and the vector is as it was', { timeout: 60_000 }, () => {
  const vector = new SharedVector({ of: 'string' }, ['first'])
  const big = 'x'.repeat(1 << 20)
  const { bytesReserved, bytesLimit } = heapStatistics()
  limitHeap(bytesReserved + (24 << 20))
  try {
    expect(() => {
      for (let i = 0; i < 200; i++) vector.push(big, big)
    }).toThrow(HeapFullError)
    const { length } = vector
    expect(length % 2).toBe(1)
    const { bytesUsed } = heapStatistics()
    expect(() => vector.splice(0, 1, ...new Array(60).fill(big))).toThrow(HeapFullError)
    expect(() => vector.unshift(...new Array(60).fill(big))).toThrow(HeapFullError)
    expect(() => vector.fill(big.slice(1))).toThrow(HeapFullError)
    expect([vector.length, vector.get(0), vector.at(-1)]).toEqual([length, 'first', big])
    expect(heapStatistics().bytesUsed).toBe(bytesUsed)
    vector.splice(1)
    vector.push(big)
    expect(vector.length).toBe(2)
  } finally {
    vector.clear()
    limitHeap(bytesLimit)
  }
})
