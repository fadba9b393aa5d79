import { inspect } from 'node:util'
import { DeadlockError, marshal } from '@flatshare/core'
import {
  collectGarbage,
  enumeration,
  FreeThreaded,
  HeapFullError,
  heapStatistics,
  limitHeap,
  locked,
  nonBlocking,
  ref,
  Shared,
  SharedMap,
  SharedSet,
  SharedVector,
} from '@flatshare/free-threaded'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { Account } from './classes.js'
import { linearise, type SequentialModel, UNKNOWN } from './linearisability.js'
import { startThread as start } from './thread.js'
import type { MapOp, RecordedOp } from './threads/containers.js'

const startThread = () => start('./threads/containers.js')
const gate = () => new Int32Array(new SharedArrayBuffer(4))
function open(cell: Int32Array): void {
  Atomics.store(cell, 0, 1)
  Atomics.notify(cell, 0)
}

/** A factory that says when it runs, and gives what `finish` is told. */
function pending() {
  let begin!: () => void
  let finish!: (value: number) => void
  const started = new Promise<void>((resolve) => (begin = resolve))
  const value = new Promise<number>((resolve) => (finish = resolve))
  const factory = () => {
    begin()
    return value
  }
  return { factory, started, finish }
}

const SURROGATES = ['', 'a', 'ÿ', 'Ā', '\ud800', '\udfff', '😀', 'x'.repeat(300), 'Ω'.repeat(300), '__proto__']
/** Boundary values by type. */
const VALUES: Record<string, unknown[]> = {
  i8: [-128, 0, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
  i32: [-2147483648, 2147483647],
  u32: [0, 4294967295],
  i64: [-(2n ** 63n), 0n, 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  f32: [0, 0.5, -1.5, Infinity, -Infinity, Number.NaN],
  f64: [0, 0.1, Number.MAX_VALUE, Number.MIN_VALUE, -Infinity, Number.NaN, 2 ** 53],
  bool: [true, false],
  string: SURROGATES,
}
const json = [null, undefined, 1, 'text', [], {}, { a: [1, { b: 'c' }] }, new Date(5), new Map([[1, { a: 1 }]]), 10n]

describe('keys and values of every type', () => {
  test.each(Object.keys(VALUES))('keys of the type %s, on two threads', async (type) => {
    const keys = VALUES[type]!
    const map = new SharedMap<any, number>({ key: type as 'f64', value: 'f64' })
    for (const [index, key] of keys.entries()) map.set(key, index)
    expect([...map.keys()]).toEqual(keys)
    expect(keys.map((key) => map.get(key))).toEqual([...keys.keys()])
    const thread = startThread()
    expect(await thread.run('entries', map)).toEqual(keys.map((key, index) => [key, index]))
    await thread.run(
      'fill',
      map,
      keys.map((key) => [key, 7]),
    )
    expect(map.size).toBe(keys.length)
    for (const key of keys) expect([map.get(key), map.delete(key)]).toEqual([7, true])
    expect([map.size, map.has(keys[0])]).toEqual([0, false])
  })

  test.each(Object.keys(VALUES))('values of the type %s, on two threads', async (type) => {
    const values = VALUES[type]!
    const map = new SharedMap<number, any>(
      { key: 'u32', value: type as 'f64' },
      values.map((value, i) => [i, value]),
    )
    expect([...map.values()]).toEqual(values)
    expect(await startThread().run('entries', map)).toEqual([...values.entries()])
  })

  test('values of the type json are frozen, and the same while unchanged', async () => {
    const map = new SharedMap<number, any>({ key: 'i32', value: 'json' }, [...json.entries()])
    expect([...map.values()]).toEqual(json)
    const value = map.get(6) as { a: unknown[] }
    expect(Object.isFrozen(value.a[1])).toBe(true)
    expect(map.get(6)).toBe(value)
    map.set(6, value)
    expect(map.get(6)).toEqual(value)
    expect(await startThread().run('entries', map)).toEqual([...json.entries()])
  })

  test('bytes are copied in and out', () => {
    const map = new SharedMap({ key: 'string', value: 'bytes' })
    const bytes = new Uint8Array([1, 2, 3])
    map.set('a', bytes)
    bytes[0] = 9
    expect(map.get('a')).toEqual(new Uint8Array([1, 2, 3]))
  })

  test('fixed arrays come out as copies, and take what is like an array', () => {
    const map = new SharedMap({ key: 'string', value: 'u16[3]' })
    map.set('a', { length: 3, 0: 1, 1: 2, 2: 3 })
    expect([...map.get('a')!]).toEqual([1, 2, 3])
    expect(() => map.set('a', [1, 2])).toThrow()
    expect(() => map.set('a', [1, 2, 65536])).toThrow()
    expect([...map.get('a')!]).toEqual([1, 2, 3])
  })

  test('enumerations', async () => {
    const state = enumeration('open', 'closed')
    const map = new SharedMap({ key: state, value: state }, [['open', 'closed']])
    expect(map.get('open')).toBe('closed')
    expect(() => map.set('open', 'ajar' as never)).toThrow(/SharedMap.set/)
    expect(await startThread().run('entries', map)).toEqual([['open', 'closed']])
  })

  test('references as values and as keys, on two threads', async () => {
    const map = new SharedMap<string, Account | null>({ key: 'string', value: ref(Account) })
    const account = new Account()
    map.set('a', account).set('none', null)
    expect(map.get('a')).toBe(account)
    expect(map.get('none')).toBeNull()
    const thread = startThread()
    expect(await thread.run('instance', map, 'a')).toBe('Account')
    expect(await thread.run('same', map, 'a')).toBe(true)
    const byAccount = new SharedMap({ key: ref(Account), value: 'f64' }, [[account, 5]])
    expect([byAccount.get(account), byAccount.get(new Account())]).toEqual([5, undefined])
    expect([...byAccount.keys()][0]).toBe(account)
    expect(() => map.set('x', {} as Account)).toThrow(TypeError)
  })

  test('containers in containers and fields', async () => {
    @FreeThreaded({ name: 'Index of maps' })
    class Index {
      @Shared(ref(SharedMap)) map: SharedMap<string, any> | null = null
    }
    const inner = new SharedMap({ key: 'string', value: 'f64' }, [['one', 1]])
    const outer = new SharedMap({ key: 'string', value: ref(SharedMap) }, [['inner', inner]])
    expect(outer.get('inner')).toBe(inner)
    expect(await startThread().run('instance', outer, 'inner')).toBe('SharedMap')
    const index = new Index()
    index.map = inner
    expect(index.map.get('one')).toBe(1)
    const lists = new SharedMap({ key: 'string', value: ref(SharedVector) }, [['v', new SharedVector({ of: 'f64' })]])
    expect(lists.get('v')).toBeInstanceOf(SharedVector)
  })
})

describe('what Map does', () => {
  test('NaN is a key, and -0 is 0', () => {
    const map = new SharedMap({ key: 'f64', value: 'f64' }, [[Number.NaN, 1]])
    map.set(Number.NaN, 2).set(-0, 3)
    expect([...map]).toEqual([
      [Number.NaN, 2],
      [0, 3],
    ])
    expect(Object.is([...map.keys()][1], 0)).toBe(true)
  })

  test('keys of another type are not in, and are refused', () => {
    const map = new SharedMap<any, number>({ key: 'u8', value: 'f64' })
    expect([map.get('a'), map.has(1.5), map.delete(-1)]).toEqual([undefined, false, false])
    expect(() => map.set('a', 1)).toThrow(TypeError)
    expect(() => map.set(256, 1)).toThrow(RangeError)
    expect(() => map.set(1, 'x' as never)).toThrow(TypeError)
    expect(map.size).toBe(0)
  })

  test('options are looked at', () => {
    expect(() => new SharedMap(undefined as never)).toThrow(/new SharedMap\(\{ key/)
    expect(() => new SharedMap({ key: 'string' } as never)).toThrow(/needs a type/)
    expect(() => new SharedMap({ key: 'json', value: 'f64' })).toThrow(/keys are numbers/)
    expect(() => new SharedMap({ key: 'str', value: 'f64' } as never)).toThrow(/no such type/)
    for (const maxEntries of [0, 1.5, -1, Number.NaN, Infinity]) {
      expect(() => new SharedMap({ key: 'string', value: 'f64', maxEntries })).toThrow(RangeError)
    }
    expect(() => new SharedMap({ key: 'string', value: 'f64', maxEntries: '5' as never })).toThrow(TypeError)
    expect(() => new SharedMap({ key: 'string', value: 'f64' }, [['a', 'b']] as never)).toThrow(/new SharedMap/)
  })

  test('it iterates over what was there when that began', () => {
    const map = new SharedMap({ key: 'string', value: 'f64' }, [
      ['a', 1],
      ['b', 2],
    ])
    const seen: unknown[] = []
    map.forEach((value, key, same) => {
      map.delete('b')
      map.set(`${key}${key}`, value)
      seen.push([key, value, same === map])
    })
    expect(seen).toEqual([
      ['a', 1, true],
      ['b', 2, true],
    ])
    expect([...map]).toEqual([
      ['a', 1],
      ['aa', 1],
      ['bb', 2],
    ])
    expect(map[Symbol.iterator]().next().value).toEqual(['a', 1])
  })

  test('it shows itself, in JSON too, and has the names of Map', () => {
    const map = new SharedMap({ key: 'string', value: 'f64' }, [['a', 1]])
    expect(inspect(map)).toBe("SharedMap(1) { 'a' => 1 }")
    expect(inspect({ deep: { deeper: { map } } })).toContain('[SharedMap]')
    expect(JSON.stringify(map)).toBe('{"a":1}')
    expect(JSON.stringify(new SharedMap({ key: 'f64', value: 'f64' }, [[1, 2]]))).toBe('[[1,2]]')
    expect(`${map}`).toBe('[object SharedMap]')
    expect(SharedMap.name).toBe('SharedMap')
  })

  test('a json value whose getter comes back to the map', () => {
    const map = new SharedMap<string, any>({ key: 'string', value: 'json' })
    for (let i = 0; i < 40; i++) {
      map.set(`outer ${i}`, {
        get inner() {
          map.set(`inner ${i}`, i)
          if (i % 3 === 0) map.delete(`outer ${i - 1}`)
          return i
        },
      })
    }
    expect(map.get('outer 39')).toEqual({ inner: 39 })
    expect(map.get('inner 39')).toBe(39)
  })

  test('dispose gives it up on this thread', () => {
    collectGarbage()
    const before = heapStatistics().bytesUsed
    const map = new SharedMap({ key: 'string', value: 'string' })
    for (let i = 0; i < 1000; i++) map.set(`key ${i}`, `value ${i}`)
    expect(heapStatistics().bytesUsed).toBeGreaterThan(before)
    map[Symbol.dispose]()
    expect(heapStatistics().bytesUsed).toBe(before)
    expect(() => map.get('a')).toThrow(/disposed/)
    expect(inspect(map)).toBe('SharedMap { disposed of }')
  })

  test('clear and delete give memory back', () => {
    const map = new SharedMap({ key: 'string', value: 'json' })
    map.set('first', 1)
    map.clear()
    const before = heapStatistics().bytesUsed
    for (let i = 0; i < 5000; i++) map.set(`key ${i}`, { i })
    const full = heapStatistics().bytesUsed
    for (let i = 10; i < 5000; i++) map.delete(`key ${i}`)
    expect(heapStatistics().bytesUsed - before).toBeLessThan((full - before) / 50)
    expect([...map.keys()]).toEqual(Array.from({ length: 10 }, (_, i) => `key ${i}`))
    map.clear()
    expect(heapStatistics().bytesUsed).toBe(before)
  })
})

test('its types follow from the names', () => {
  const plain = new SharedMap({ key: 'string', value: 'f64' }, [['a', 1]])
  expectTypeOf(plain.get('a')).toEqualTypeOf<number | undefined>()
  expectTypeOf(plain.set).parameters.toEqualTypeOf<[key: string, value: number]>()
  const big = new SharedMap({ key: ['open', 'closed'], value: 'i64' })
  expectTypeOf(big.get).parameters.toEqualTypeOf<[key: 'open' | 'closed']>()
  const json = new SharedMap<string, { list: number[] }>({ key: 'string', value: 'json' }, [['a', { list: [] }]])
  expectTypeOf(json.get('a')!.list).toEqualTypeOf<readonly number[]>()
  const accounts = new SharedMap({ key: 'string', value: ref(Account) }, [['a', new Account()]])
  expectTypeOf(accounts.get('a')).toEqualTypeOf<Account | null | undefined>()
  // @ts-expect-error: a number
  expect(() => plain.set('a', 'text')).toThrow(TypeError)
  // @ts-expect-error: frozen
  expect(() => json.get('a')!.list.push(1)).toThrow(TypeError)
})

describe('compound operations', () => {
  test('update, getOrInsert, getOrInsertComputed', () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    expect(map.update('a', (n = 10) => n + 1)).toBe(11)
    expect(map.update('a', (n = 10) => n + 1)).toBe(12)
    expect([map.getOrInsert('a', 5), map.getOrInsert('b', 5)]).toEqual([12, 5])
    expect(map.getOrInsertComputed('c', (key) => key.length)).toBe(1)
    expect(map.getOrInsertComputed('c', () => 7)).toBe(1)
    expect(() =>
      map.update('a', () => {
        throw new RangeError('on purpose')
      }),
    ).toThrow('on purpose')
    expect(map.get('a')).toBe(12)
    expect(() => map.update('a', 5 as never)).toThrow(/SharedMap.update takes a function/)
    const cache = new SharedMap<string, { n: number }>({ key: 'string', value: 'json' })
    expect(Object.isFrozen(cache.getOrInsert('a', { n: 1 }))).toBe(true)
    // What the function changes by the way stays changed.
    map.update('z', () => map.set('y', 1).size)
    expect([map.get('y'), map.get('z')]).toEqual([1, 4])
  })

  test('updates of four threads are all there', { timeout: 60_000 }, async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    await Promise.all([1, 2, 3, 4].map(() => startThread().run('count', map, 7000)))
    expect(Object.values(map.toJSON())).toEqual(new Array(7).fill(4000))
  })

  test('locked makes steps of several maps one', { timeout: 60_000 }, async () => {
    const make = () => new SharedMap({ key: 'string', value: 'f64' }, [['sum', 1000]])
    const maps = [make(), make()] as const
    const pair = new SharedVector({ of: ref(SharedMap) }, maps)
    expect(locked(maps[0], (map) => map.size + map.get('sum')!)).toBe(1001)
    expect(await nonBlocking(maps[0]).get('sum')).toBe(1000)
    expect(pair.length).toBe(2)
    await Promise.all([
      ...[1, 2].map(() => startThread().run('move', pair, 200)),
      (async () => {
        for (let i = 0; i < 200; i++) {
          locked(maps, (from, to) => {
            const sum = from.get('sum')! + to.get('sum')!
            from.update('sum', (n) => n! - 1)
            to.update('sum', (n) => n! + 1)
            expect(sum).toBe(2000)
          })
          if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
      })(),
    ])
    expect([maps[0].get('sum'), maps[1].get('sum')]).toEqual([400, 1600])
  })
})

describe('getOrInsertAsync', () => {
  test('runs one factory, of all calls of all threads', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    const ran = gate()
    const threads = [1, 2, 3].map(() => startThread())
    const argument = { key: 'key', ran }
    const results = await Promise.all([
      ...threads.map((thread) => thread.run('compute', map, argument)),
      map.getOrInsertAsync('key', () => Atomics.add(ran, 0, 1) + 100),
      map.getOrInsertAsync('key', async () => Atomics.add(ran, 0, 1) + 100),
    ])
    expect(results).toEqual([100, 100, 100, 100, 100])
    expect(ran[0]).toBe(1)
    expect(await map.getOrInsertAsync('key', () => 5)).toBe(100)
  })

  test('other keys, and the map, are free meanwhile', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    const { factory, started, finish } = pending()
    const slow = map.getOrInsertAsync('slow', factory)
    await started
    expect(await map.getOrInsertAsync('quick', () => 1)).toBe(1)
    expect(map.set('other', 2).size).toBe(2)
    expect(await startThread().run('compute', map, { key: 'third', ran: gate() })).toBe(100)
    finish(7)
    expect([await slow, map.get('slow')]).toEqual([7, 7])
  })

  test('a failure is its own; the next one runs', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    const failing = map.getOrInsertAsync('key', () => Promise.reject(new RangeError('on purpose')))
    const next = map.getOrInsertAsync('key', () => 5)
    await expect(failing).rejects.toThrow('on purpose')
    expect(await next).toBe(5)
    await expect(map.getOrInsertAsync('other', () => 'no number' as never)).rejects.toThrow(TypeError)
    expect(map.has('other')).toBe(false)
    await expect(map.getOrInsertAsync(5 as never, () => 1)).rejects.toThrow(TypeError)
  })

  test('a value that was set meanwhile counts', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    const value = await map.getOrInsertAsync('key', () => {
      map.set('key', 1)
      return 2
    })
    expect([value, map.get('key')]).toEqual([1, 1])
  })

  test('signal ends the wait', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    const controller = new AbortController()
    const { factory, started, finish } = pending()
    const first = map.getOrInsertAsync('key', factory)
    await started
    const waiting = map.getOrInsertAsync('key', () => 2, { signal: controller.signal })
    controller.abort(new RangeError('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(map.getOrInsertAsync('key', () => 2, { signal: controller.signal })).rejects.toThrow('enough')
    finish(1)
    expect(await first).toBe(1)
    await expect(map.getOrInsertAsync('key', () => 1, { signal: 5 as never })).rejects.toThrow(TypeError)
  })

  test('S18 a factory that asks for its own key', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    const own = map.getOrInsertAsync('key', async () => {
      await Promise.resolve()
      return map.getOrInsertAsync('key', () => 1)
    })
    await expect(own).rejects.toThrow(DeadlockError)
    expect(await map.getOrInsertAsync('key', async () => map.getOrInsertAsync('part', () => 3))).toBe(3)
  })

  test('S13 a thread that dies in its factory: the next one runs', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' })
    const thread = startThread()
    const cell = gate()
    thread.order('dieInFactory', map, cell)
    await thread.answer()
    const waiting = map.getOrInsertAsync('key', () => 8)
    const other = startThread().run('compute', map, { key: 'key', ran: gate() })
    open(cell)
    await thread.ended
    const value = await waiting
    expect([8, 100]).toContain(value)
    expect(await other).toBe(value)
  })
})

describe('maxEntries', () => {
  test('what was not used for longest is removed', () => {
    const map = new SharedMap({ key: 'string', value: 'f64', maxEntries: 2 }, [
      ['a', 1],
      ['b', 2],
    ])
    map.get('a')
    map.set('c', 3)
    expect([...map]).toEqual([
      ['a', 1],
      ['c', 3],
    ])
    // Neither of these is a use.
    map.has('a')
    map.forEach(() => {})
    map.set('d', 4)
    expect([...map]).toEqual([
      ['c', 3],
      ['d', 4],
    ])
    expect([map.maxEntries, new SharedMap({ key: 'f64', value: 'f64' }).maxEntries]).toEqual([2, undefined])
  })

  test('as a model does, at random', () => {
    const key = fc.integer({ min: 0, max: 12 })
    const op = fc.tuple(fc.constantFrom('get', 'set', 'delete', 'update', 'has'), key)
    fc.assert(
      fc.property(fc.array(op, { maxLength: 120 }), fc.integer({ min: 1, max: 6 }), (ops, maxEntries) => {
        using map = new SharedMap({ key: 'u8', value: 'string', maxEntries })
        /** In the order of use. */
        const model = new Map<number, string>()
        const use = (key: number, value: string) => {
          model.delete(key)
          model.set(key, value)
          if (model.size > maxEntries) model.delete(model.keys().next().value!)
        }
        ops.forEach(([name, key], step) => {
          if (name === 'set') {
            map.set(key, `${step}`)
            use(key, `${step}`)
          } else if (name === 'update')
            use(
              key,
              map.update(key, (value = '') => `${value}.`),
            )
          else if (name === 'delete') expect(map.delete(key)).toBe(model.delete(key))
          else if (name === 'has') expect(map.has(key)).toBe(model.has(key))
          else {
            expect(map.get(key)).toBe(model.get(key))
            if (model.has(key)) use(key, model.get(key)!)
          }
        })
        const byKey = (a: [number, string], b: [number, string]) => a[0] - b[0]
        expect([...map].sort(byKey)).toEqual([...model].sort(byKey))
      }),
      { numRuns: 150 },
    )
  })
})

describe('as Map does, at random', () => {
  const kinds = {
    f64: fc.double(),
    i32: fc.integer({ min: -20, max: 20 }),
    string: fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.constantFrom(...SURROGATES)),
    i64: fc.bigInt({ min: -5n, max: 5n }),
    bool: fc.boolean(),
  }
  const values = { string: fc.string({ maxLength: 60 }), f64: fc.double(), json: fc.jsonValue({ maxDepth: 2 }) }
  for (const type of Object.keys(kinds) as (keyof typeof kinds)[]) {
    for (const valueType of Object.keys(values) as (keyof typeof values)[]) {
      test(`from ${type} to ${valueType}`, () => {
        const step = fc.tuple(fc.integer({ min: 0, max: 99 }), kinds[type] as fc.Arbitrary<any>, values[valueType])
        fc.assert(
          fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
            using map = new SharedMap<any, any>({ key: type, value: valueType })
            const model = new Map<any, any>()
            for (const [kind, key, value] of steps) {
              if (kind < 60) {
                map.set(key, value)
                model.set(key, value)
              } else if (kind < 85) expect(map.delete(key)).toBe(model.delete(key))
              else if (kind < 98) expect(map.get(key)).toEqual(model.get(key))
              else {
                map.clear()
                model.clear()
              }
              expect(map.size).toBe(model.size)
            }
            // JSON can't tell -0.
            expect([...map]).toEqual([...model])
          }),
          { numRuns: 60 },
        )
      })
    }
  }
})

interface KeyState {
  readonly value: number | undefined
}

/** One key of a map. */
const keyModel: SequentialModel<KeyState, MapOp, unknown> = {
  initial: { value: undefined },
  name: ({ value }) => String(value),
  step({ value }, { name, value: given }, result) {
    const [expected, next] = {
      get: [value, value],
      has: [value !== undefined, value],
      set: [undefined, given],
      delete: [value !== undefined, undefined],
      getOrInsert: [value ?? given, value ?? given],
      update: [(value ?? 0) + 1, (value ?? 0) + 1],
    }[name]
    return result === UNKNOWN || result === expected ? { value: next as number | undefined } : undefined
  },
}

describe('several threads', () => {
  test('S3 histories of four threads are linearisable', { timeout: 60_000 }, async () => {
    const threads = [1, 2, 3, 4].map(() => startThread())
    for (let round = 0; round < 10; round++) {
      const map = new SharedMap({ key: 'string', value: 'f64' })
      const clock = gate()
      const histories = await Promise.all(
        threads.map((thread, i) => thread.run('record', map, { clock, seed: round * 10 + i, calls: 300 })),
      )
      const all = histories.flat() as RecordedOp[]
      for (const key of ['a', 'b', 'c']) {
        const order = linearise(
          all.filter((call) => call.key === key),
          keyModel,
        )
        expect(order, `round ${round}, key ${key}`).toBeDefined()
      }
    }
  })

  test('what another thread made of it is read here, however large it has become', async () => {
    const map = new SharedMap({ key: 'string', value: 'string' }, [['first', 'one']])
    const entries = Array.from({ length: 30_000 }, (_, i) => [`key ${i}`, `value ${i} ${'x'.repeat(i % 50)}`])
    await startThread().run('fill', map, entries)
    expect(map.size).toBe(30_001)
    expect([...map].slice(1)).toEqual(entries)
    expect(map.get('key 29999')).toBe(entries[29_999]![1])
  })

  test('S13 threads killed at any moment leave a map that is whole', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 10; round++) {
      const map = new SharedMap({ key: 'u16', value: 'string', maxEntries: 30 })
      const threads = [1, 2].map(() => startThread())
      await Promise.all(threads.map((thread, i) => thread.run('churn', map, round * 2 + i)))
      // They go on; some calls of this thread later they are ended.
      for (let i = 0; i < 50 * round; i++) map.set(i % 64, `value ${i % 64}`)
      await Promise.all(threads.map((thread) => thread.worker.terminate()))
      const entries = [...map]
      expect(map.size).toBe(entries.length)
      expect(new Set(entries.map(([key]) => key)).size).toBe(entries.length)
      for (const [key, value] of entries) expect([value, map.get(key)]).toEqual([`value ${key}`, value])
      for (let i = 0; i < 100; i++) map.set(i, `value ${i}`)
      expect([...map.keys()]).toEqual(Array.from({ length: 30 }, (_, i) => 70 + i))
      map[Symbol.dispose]()
    }
    collectGarbage()
  })

  test('a thread that looks while another one is inside does not wait', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' }, [['a', 1]])
    expect(locked(map, () => inspect(map))).toBe("SharedMap(1) { 'a' => 1 }")
    const thread = startThread()
    const cell = gate()
    thread.order('hold', map, cell)
    await thread.answer()
    expect(inspect(map)).toBe('SharedMap { in use }')
    open(cell)
    await thread.answer()
    expect(inspect(map)).toBe("SharedMap(1) { 'a' => 2 }")
  })

  test('S13 a thread that dies inside: the next call goes on, with the state before', async () => {
    const map = new SharedMap({ key: 'string', value: 'f64' }, [['a', 1]])
    const thread = startThread()
    thread.order('dieInside', map)
    await thread.ended
    expect([map.get('a'), map.size]).toEqual([1, 1])
    expect(inspect(map)).toBe("SharedMap(1) { 'a' => 1 }")
  })
})

describe('memory runs out', () => {
  test('the map is as it was', { timeout: 60_000 }, () => {
    const map = new SharedMap({ key: 'string', value: 'string' })
    const big = 'x'.repeat(1 << 20)
    map.set('kept', 'value')
    const { bytesReserved, bytesLimit } = heapStatistics()
    limitHeap(bytesReserved + (24 << 20))
    try {
      let failed: unknown
      let i = 0
      try {
        for (; i < 200; i++) map.set(`key ${i}`, big)
      } catch (error) {
        failed = error
      }
      expect(failed).toBeInstanceOf(HeapFullError)
      expect([map.size, map.has(`key ${i}`), map.get('kept')]).toEqual([i + 1, false, 'value'])
      const { bytesUsed } = heapStatistics()
      expect(() => map.set('kept', big)).toThrow(HeapFullError)
      expect(() => map.set('a key that takes a block of its own', big)).toThrow(HeapFullError)
      expect(heapStatistics().bytesUsed).toBe(bytesUsed)
      expect(map.get('kept')).toBe('value')
      expect(map.delete('key 0')).toBe(true)
      map.set('kept', big)
      expect(map.get('kept')).toBe(big)
    } finally {
      map.clear()
      limitHeap(bytesLimit)
    }
  })

  test('it crosses when it is empty, too', async () => {
    expect(await startThread().run('entries', new SharedSet({ of: 'f64' }))).toEqual([])
    expect(marshal(new SharedMap({ key: 'f64', value: 'f64' }))).toBeDefined()
  })
})
