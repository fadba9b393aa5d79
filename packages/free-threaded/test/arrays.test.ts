import { inspect } from 'node:util'
import { marshal } from '@flatshare/core'
import { array, FreeThreaded, locked, Shared, type SharedType } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { startThread } from './thread.js'
import { Arrays, adopted } from './value-classes.js'

test('indices, at, get and set', () => {
  const { counts } = adopted(new Arrays())
  expect([counts.length, counts[0], counts[23], counts[24], counts[-1]]).toEqual([24, 0, 0, undefined, undefined])
  counts[3] = 7
  counts.set(4, 8).set(23, 9)
  expect([counts[3], counts.get(4), counts.at(-1), counts.at(99), counts.at(-25)]).toEqual([
    7,
    8,
    9,
    undefined,
    undefined,
  ])
  counts[3]! += 1
  expect(counts.toArray()).toEqual([0, 0, 0, 8, 8, ...new Array<number>(18).fill(0), 9])
})

test('it is one object, of the field', () => {
  const arrays = adopted(new Arrays())
  expect(arrays.counts).toBe(arrays.counts)
  expect(locked(arrays, () => arrays.counts)).toBe(arrays.counts)
  expect(arrays.counts).not.toBe(adopted(new Arrays()).counts)
})

test('several at once', () => {
  const { counts, wide } = adopted(new Arrays())
  counts.set([1, 2, 3], 21)
  counts.set(Uint32Array.of(5, 6))
  counts.fill(9, 2, 4).fill(8, -5, -3)
  expect([...counts]).toEqual([5, 6, 9, 9, ...new Array<number>(15).fill(0), 8, 8, 1, 2, 3])
  wide.fill(-1n)
  expect(wide.toJSON()).toEqual([-1n, -1n, -1n])
  counts.set([])
  expect([...counts.entries()].slice(0, 2)).toEqual([
    [0, 5],
    [1, 6],
  ])
  expect([...counts.keys()].length).toBe(24)
})

test('assigning copies all of them', () => {
  const arrays = adopted(new Arrays())
  const given = Array.from({ length: 24 }, (_, i) => i)
  arrays.counts = given as never
  given[0] = 99
  expect(arrays.counts.toArray()).toEqual(Array.from({ length: 24 }, (_, i) => i))
  const other = adopted(new Arrays())
  other.counts = arrays.counts
  const { counts } = arrays
  arrays.counts = counts
  expect([other.counts.get(23), other.sum(), arrays.sum()]).toEqual([23, 276, 276])
  expect(other.sumOfView()).toBe(276)
})

test('what the constructor gives is taken over', () => {
  class Early {
    small: any = [1, 2, 3]
    large: any = new Float64Array(1000).fill(0.5)
    sum() {
      return this.small.get(0) + this.small[2] + this.large[999]
    }
  }
  FreeThreaded({ name: 'EarlyArrays', shared: { small: 'u8[3]', large: array('f64', 1000) } })(Early)
  expect(new Early().sum()).toBe(4.5)
})

test('what does not fit is refused, and changes nothing', () => {
  const arrays = adopted(new Arrays())
  const { counts, small, wide } = arrays
  small.set([1, 2, 3])
  expect(() => (small[0] = 128)).toThrow(RangeError)
  expect(() => (small[0] = 128)).toThrow(
    'Arrays.small[0] is shared as i8 and takes a whole number from -128 to 127, not the number 128.',
  )
  expect(() => small.set([4, 5, 128])).toThrow('Arrays.small[2]')
  expect(() => small.fill(1.5)).toThrow(RangeError)
  expect(() => (wide[0] = 1 as never)).toThrow(TypeError)
  expect(() => (small[3] = 1)).toThrow('Arrays.small[3] does not exist: its indices are 0 to 2.')
  for (const index of [-1, 24, 1.5, Number.NaN]) expect(() => counts.get(index)).toThrow(RangeError)
  expect(() => counts.set([1, 2], 23)).toThrow(RangeError)
  expect(() => (arrays.small = [1, 2] as never)).toThrow(
    /^Arrays\.small is shared as i8\[3\] and takes 3 values, each a whole/,
  )
  expect(() => ((small as any).other = 1)).toThrow(TypeError)
  expect([...small]).toEqual([1, 2, 3])
})

test('the raw memory, only inside', () => {
  const arrays = adopted(new Arrays())
  for (const key of ['counts', 'large'] as const) {
    expect(() => arrays[key].view()).toThrow(new RegExp(`Arrays\\.${key}\\.view\\(\\) is memory.*locked\\(object`))
  }
  locked(arrays, ({ counts, large }) => {
    const view = counts.view()
    expect([view.constructor, view.length]).toEqual([Uint32Array, 24])
    view.fill(2)
    large.view()[999] = 0.25
  })
  expect([arrays.counts.get(5), arrays.large[999], arrays.large[998], arrays.last]).toEqual([2, 0.25, 0, true])
})

describe('on two threads', () => {
  test('every value', async () => {
    const arrays = adopted(new Arrays())
    const thread = startThread('./threads/values.js')
    arrays.counts.set([0, 2 ** 32 - 1], 3)
    expect((await thread.run('read', arrays, 'counts')).slice(3, 5)).toEqual([0, 2 ** 32 - 1])
    await thread.run('write', arrays, ['wide', [-(2n ** 63n), 0n, 2n ** 63n - 1n]])
    expect([...arrays.wide]).toEqual([-(2n ** 63n), 0n, 2n ** 63n - 1n])
    expect(await thread.run('readInside', arrays, 'large')).toEqual(new Array(1000).fill(0))
    await thread.run('write', arrays, ['large', new Array(1000).fill(0.1)])
    expect(arrays.large.toArray()).toEqual(new Array(1000).fill(0.1))
  })

  test('a copy is of one moment, and no step is lost', async () => {
    const arrays = adopted(new Arrays())
    arrays.counts.fill(1000)
    const threads = [startThread('./threads/values.js'), startThread('./threads/values.js')]
    expect(await Promise.all(threads.map((thread) => thread.run('move', arrays, 3000)))).toEqual([0, 0])
    await Promise.all(threads.map((thread) => thread.run('bump', arrays, 5000)))
    expect([arrays.sum(), arrays.large.get(0)]).toEqual([24_000, 10_000])
  })
})

test('it shows itself', () => {
  const arrays = adopted(new Arrays())
  arrays.small.set([1, 2, 3])
  expect(inspect(arrays.small)).toBe('SharedArray(3) [ 1, 2, 3 ]')
  expect(JSON.stringify({ small: arrays.small })).toBe('{"small":[1,2,3]}')
  expect(() => marshal({ deep: arrays.small })).toThrow(/belong to an object and cross with that/)
  expect(() => structuredClone(arrays.small)).toThrow(/could not be cloned/)
})

test('types that are none are refused', () => {
  expect(() => array('bool' as never, 3)).toThrow(TypeError)
  for (const length of [0, -1, 1.5, Infinity]) expect(() => array('u8', length)).toThrow(RangeError)
  for (const type of ['u8[]', 'u8[0]', 'bool[3]', 'string[2]', 'u8[3][3]', 'i128[2]']) {
    expect(() => Shared(type as SharedType)({}, 'x')).toThrow(/on x: /)
  }
})
