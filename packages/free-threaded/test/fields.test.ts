import { inspect } from 'node:util'
import { FreeThreaded, locked, type ScalarName, Shared, type SharedType } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { AllTypes } from './classes.js'
import { startThread } from './thread.js'

const takes: Record<ScalarName, unknown[]> = {
  i8: [-128, 0, -0, 127],
  u8: [0, 255],
  i16: [-32768, 32767],
  u16: [0, 65535],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  u64: [0n, 2n ** 64n - 1n],
  f32: [0.5, -Infinity, NaN, Math.fround(0.1)],
  f64: [0.1, -0, NaN, Infinity, Number.MAX_VALUE, 5e-324],
  bool: [true, false],
}

const whole = [1.5, NaN, Infinity]
const refuses: Record<ScalarName, { range: unknown[]; type: unknown[] }> = {
  i8: { range: [-129, 128, ...whole], type: ['1', 1n, true, null, {}] },
  u8: { range: [-1, 256, ...whole], type: ['1', 1n, true, undefined] },
  i16: { range: [-32769, 32768, ...whole], type: ['1', 1n] },
  u16: { range: [-1, 65536, ...whole], type: ['1', 1n] },
  i32: { range: [-(2 ** 31) - 1, 2 ** 31, ...whole], type: ['1', 1n] },
  u32: { range: [-1, 2 ** 32, ...whole], type: ['1', 1n, Symbol('1')] },
  i64: { range: [2n ** 63n, -(2n ** 63n) - 1n], type: [1, '1'] },
  u64: { range: [2n ** 64n, -1n], type: [1, '1'] },
  f32: { range: [], type: ['1', 1n, null, true] },
  f64: { range: [], type: ['1', 1n, undefined, () => 1] },
  bool: { range: [], type: [0, 1, 'true', undefined] },
}

/** Integers have one zero. */
const kept = (type: ScalarName, value: unknown) => (Object.is(value, -0) && !type.startsWith('f') ? 0 : value)

describe.each(Object.keys(takes) as ScalarName[])('%s', (type) => {
  test('keeps every value that fits', () => {
    const all = adopted(new AllTypes()) as unknown as Record<string, unknown>
    for (const value of takes[type]) {
      all[type] = value
      const inside = locked(all, () => all[type])
      for (const read of [all[type], inside]) expect(Object.is(read, kept(type, value))).toBe(true)
    }
  })

  test('refuses what does not fit, and writes nothing', () => {
    const shared = adopted(new AllTypes()) as unknown as Record<string, unknown>
    const before = takes[type][0]
    shared[type] = before
    for (const value of refuses[type].range) {
      expect(() => (shared[type] = value)).toThrow(RangeError)
      expect(() => (shared[type] = value)).toThrow(`All types.${type} is shared as ${type} and takes `)
    }
    for (const value of refuses[type].type) expect(() => (shared[type] = value)).toThrow(TypeError)
    expect(shared[type]).toEqual(before)
    // As the constructor leaves it, the value is looked at when it moves.
    for (const value of [...refuses[type].range, ...refuses[type].type]) {
      if (value === undefined) continue
      const fresh = Object.assign(new AllTypes(), { [type]: value })
      expect(() => adopted(fresh)).toThrow(`All types.${type} is shared as ${type}`)
      expect(Object.is((fresh as unknown as Record<string, unknown>)[type], value)).toBe(true)
    }
  })
})

test('S3 every value is the same on every thread', async () => {
  const thread = startThread()
  const all = new AllTypes() as unknown as Record<string, unknown>
  for (const [type, values] of Object.entries(takes) as [ScalarName, unknown[]][]) {
    for (const value of values) {
      all[type] = value
      expect(await thread.run('copy', all, { [type]: values[0] })).toEqual({ [type]: kept(type, value) })
      expect(all[type]).toEqual(kept(type, values[0]))
    }
  }
})

test('f32 rounds', () => {
  const all = adopted(new AllTypes())
  all.f32 = 0.1
  expect(all.f32).toBe(Math.fround(0.1))
})

test('fields do not overlap', () => {
  const all = adopted(new AllTypes()) as unknown as Record<string, unknown>
  const last = Object.entries(takes).map(([type, values]) => [type, values.at(-1)] as const)
  for (const [type, value] of last) all[type] = value
  for (const [type, value] of last) expect(all[type]).toEqual(value)
})

test('unknown types and decorated methods are refused at decoration', () => {
  expect(() => Shared('f65' as SharedType)({}, 'x')).toThrow(
    /@Shared\('f65'\) on x: there is no such type\. The types are i8,/,
  )
  expect(() => Shared('f64')({}, 'x', { value() {} })).toThrow(/@Shared can't decorate x/)
  expect(() => FreeThreaded({ shared: { x: 'int' as SharedType } })(class Wrong {})).toThrow(/no such type/)
})

test('console.log and JSON.stringify show the fields, unless the class knows better', () => {
  @FreeThreaded()
  class Shown {
    @Shared('i32') n = 1
    read() {
      return this.n
    }
  }
  const shown = new Shown()
  expect([shown.read(), JSON.stringify(shown), inspect({ shown })]).toEqual([1, '{"n":1}', '{ shown: Shown { n: 1 } }'])
  expect(inspect({ a: { b: { shown } } }, { depth: 1 })).toContain('[Object]')
  expect(inspect([[shown]], { depth: 0 })).toBe('[ [Array] ]')
  expect(inspect([shown], { depth: 0 })).toBe('[ [Shown] ]')
  @FreeThreaded()
  class Own {
    @Shared('i32') n = 1
    toJSON() {
      return `own ${this.n}`
    }
  }
  expect(JSON.stringify(new Own())).toBe('"own 1"')
})

/** An object whose state has moved to shared memory. */
function adopted<T extends object>(object: T): T {
  return locked(object, (same) => same)
}
