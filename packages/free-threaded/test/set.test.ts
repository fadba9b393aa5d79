import { inspect } from 'node:util'
import { enumeration, heapStatistics, ref, SharedMap, SharedSet } from '@flatshare/free-threaded'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { Account } from './classes.js'
import { startThread as start } from './thread.js'

const startThread = () => start('./threads/containers.js')

describe('what Set does', () => {
  test('it shows itself, and says what it takes', () => {
    const set = new SharedSet({ of: 'i64' }, [1n, 2n, 1n])
    expect(inspect(set)).toBe('SharedSet(2) { 1n, 2n }')
    expect(JSON.stringify(new SharedSet({ of: 'string' }, ['a']))).toBe('["a"]')
    expect(`${set}`).toBe('[object SharedSet]')
    expect([...set.entries()]).toEqual([
      [1n, 1n],
      [2n, 2n],
    ])
    expect(() => set.add(5 as never)).toThrow(/The value of SharedSet.add is shared as i64/)
    expect(() => new SharedSet({} as never)).toThrow(/needs a type/)
    expect(() => new SharedSet({ of: 'json' })).toThrow(/keys are numbers/)
    expect(() => new SharedSet({ of: 'u8' }, [256])).toThrow(RangeError)
    expectTypeOf([...set]).toEqualTypeOf<bigint[]>()
  })

  test('references and enumerations', () => {
    const account = new Account()
    const set = new SharedSet({ of: ref(Account) }, [account])
    expect([set.has(account), set.has(new Account()), [...set][0] === account]).toEqual([true, false, true])
    expect([...new SharedSet({ of: enumeration('a', 'b') }, ['b', 'a'])]).toEqual(['b', 'a'])
  })

  test('forEach sees the values of the moment when it began', () => {
    const set = new SharedSet({ of: 'f64' }, [1, 2])
    const seen: number[] = []
    set.forEach((value, same, all) => {
      all.add(value + same + 10)
      seen.push(value)
    })
    expect([seen, [...set]]).toEqual([
      [1, 2],
      [1, 2, 12, 14],
    ])
  })

  test('clear gives memory back', () => {
    const set = new SharedSet({ of: 'string' })
    const before = heapStatistics().bytesUsed
    for (let i = 0; i < 1000; i++) set.add(`value ${i}`)
    set.clear()
    expect([heapStatistics().bytesUsed, set.size]).toEqual([before, 0])
  })

  test('with other sets, as the standard says', () => {
    const values = fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 8 })
    fc.assert(
      fc.property(values, values, fc.constantFrom('Set', 'SharedSet', 'Map keys'), (ours, theirs, kind) => {
        const set = new SharedSet({ of: 'u8' }, ours)
        const model = new Set(ours)
        const others = new Set(theirs)
        const other =
          kind === 'Set'
            ? others
            : kind === 'SharedSet'
              ? new SharedSet({ of: 'u8' }, theirs)
              : new Map(theirs.map((value) => [value, 0]))
        const both = [...model].filter((value) => others.has(value))
        const sorted = (set: Iterable<number>) => [...set].sort()
        expect([...set.union(other)]).toEqual([...new Set([...ours, ...theirs])])
        expect(sorted(set.intersection(other))).toEqual(sorted(both))
        expect([...set.difference(other)]).toEqual([...model].filter((value) => !others.has(value)))
        expect(sorted(set.symmetricDifference(other))).toEqual(
          sorted([...ours.filter((v) => !others.has(v)), ...theirs.filter((v) => !model.has(v))].filter(once)),
        )
        expect(set.isSubsetOf(other)).toBe(both.length === model.size)
        expect(set.isSupersetOf(other)).toBe(both.length === others.size)
        expect(set.isDisjointFrom(other)).toBe(both.length === 0)
      }),
      { numRuns: 200 },
    )
    expect(() => new SharedSet({ of: 'u8' }).union([] as never)).toThrow(/SharedSet.union takes a set/)
    const keys = new SharedMap({ key: 'u8', value: 'u8' }, [[3, 1]])
    expect([...new SharedSet({ of: 'u8' }, [1]).union(keys)]).toEqual([1, 3])
  })

  test('as Set does, at random', () => {
    const step = fc.tuple(fc.constantFrom('add', 'addIfAbsent', 'delete', 'has', 'clear'), fc.string({ maxLength: 2 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        using set = new SharedSet({ of: 'string' })
        const model = new Set<string>()
        for (const [name, value] of steps) {
          if (name === 'clear') {
            if (value.length < 2) continue
            set.clear()
            model.clear()
          } else if (name === 'add') {
            set.add(value)
            model.add(value)
          } else if (name === 'addIfAbsent') {
            expect(set.addIfAbsent(value)).toBe(!model.has(value))
            model.add(value)
          } else expect(set[name](value)).toBe(model[name](value))
          expect(set.size).toBe(model.size)
        }
        expect([...set]).toEqual([...model])
      }),
      { numRuns: 100 },
    )
  })
})

function once<T>(value: T, index: number, list: readonly T[]): boolean {
  return list.indexOf(value) === index
}

test('S3 each value is new to one thread', { timeout: 60_000 }, async () => {
  const set = new SharedSet({ of: 'string' })
  const claimed = await Promise.all([1, 2, 3, 4].map(() => startThread().run('claim', set, 5000)))
  expect(claimed.reduce((a: number, b: number) => a + b, 0)).toBe(5000)
  expect(set.size).toBe(5000)
})
