import { marshal, unmarshal } from '@flatshare/core'
import { copyFrozen, frozenAfar } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

describe('copyFrozen', () => {
  it('copies as structured clone does, and freezes to any depth', () => {
    class Point {
      x = [1]
    }
    const original = {
      point: new Point(),
      map: new Map([['k', { deep: 1 }]]),
      set: new Set([1]),
      date: new Date(5),
      bytes: new Uint8Array([1, 2]),
      holes: Object.assign(new Array<number>(3), { 0: 1, 2: 3 }),
    }
    const copy = copyFrozen(original)
    expect(copy).toEqual(structuredClone(original))
    expect(1 in copy.holes).toBe(false)
    original.point.x.push(2)
    original.bytes[0] = 9
    expect([copy.point.x, copy.bytes[0]]).toEqual([[1], 1])
    for (const x of [copy, copy.point, copy.point.x, copy.map.get('k'), copy.holes])
      expect(Object.isFrozen(x)).toBe(true)
  })

  it('keeps identity inside, cycles and references', () => {
    const shared = {}
    const error = new RangeError('kept')
    const original: Record<string, unknown> = { a: shared, b: shared, error, fn: expect }
    original['self'] = original
    const copy = copyFrozen(original)
    expect(copy['a']).toBe(copy['b'])
    expect(copy['self']).toBe(copy)
    expect([copy['error'], copy['fn']]).toEqual([error, expect])
  })

  it('takes a member called __proto__ for a member', () => {
    const copy = copyFrozen(JSON.parse('{"__proto__": {"polluted": true}}')) as { polluted?: boolean }
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(copy.polluted).toBeUndefined()
  })

  it('refuses what structured clone refuses', () => {
    expect(() => copyFrozen({ s: Symbol('s') })).toThrow(/could not be cloned/)
    expect(() => copyFrozen([new WeakMap()])).toThrow(/could not be cloned/)
  })
})

describe('frozenAfar', () => {
  it('makes a list that arrives frozen, to any depth, and again when handed on', () => {
    const error = new RangeError('kept')
    let list: readonly any[] = frozenAfar([copyFrozen({ deep: [{ n: 1 }], map: new Map([[1, {}]]), error })])
    for (let hop = 0; hop < 3; hop++) {
      const [packet, transfer] = marshal(list)
      list = unmarshal<readonly any[]>(structuredClone(packet, { transfer }))
      expect(list).toEqual([{ deep: [{ n: 1 }], map: new Map([[1, {}]]), error: expect.any(RangeError) }])
      for (const x of [list, list[0], list[0].deep, list[0].deep[0], list[0].map.get(1)]) {
        expect(Object.isFrozen(x)).toBe(true)
      }
    }
  })
})
