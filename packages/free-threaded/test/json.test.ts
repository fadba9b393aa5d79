import { FlatshareError } from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startThread } from './thread.js'
import { adopted, Node, Values } from './value-classes.js'

const circle: Record<string, unknown> = { name: 'circle' }
circle['self'] = circle

const values: Record<string, unknown> = {
  null: null,
  false: false,
  'minus zero': -0,
  NaN: Number.NaN,
  'the empty string': '',
  'a lone surrogate': '\ud800',
  'a bigint': -(2n ** 70n),
  'an empty object': {},
  'an empty array': [],
  'a hole': Object.assign(new Array(3), { 0: 1, 2: 3 }),
  'undefined inside': { a: undefined },
  'a date': new Date(86_400_000),
  'an invalid date': new Date(Number.NaN),
  'a map': new Map<unknown, unknown>([[{ key: 1 }, new Map([[1, 2]])]]),
  'a set': new Set(['a', 1, null]),
  'a pattern': /a+/giu,
  'typed arrays': [new Uint8Array([1, 2]), new Float64Array([0.5])],
  'a buffer': new Uint8Array([1, 2, 3]).buffer,
  'a circle': circle,
  'the key __proto__': JSON.parse('{ "__proto__": 1 }'),
  deep: JSON.parse('['.repeat(500) + ']'.repeat(500)),
  large: Array.from({ length: 20_000 }, (_, i) => ({ i, text: `row ${i}` })),
}

describe.each(Object.entries(values))('%s', (_, value) => {
  test('is what it was, and frozen', () => {
    const object = adopted(new Values())
    object.json = value
    expect(object.json).toEqual(value)
    expect(Object.isFrozen(object.json) || ArrayBuffer.isView(object.json) || object.json instanceof ArrayBuffer).toBe(
      true,
    )
    // It may go back in.
    const { json } = object
    object.json = json
    expect(object.json).toEqual(value)
  })
})

test('undefined, and a field that was never set', () => {
  const object = adopted(new Values())
  expect(object.json).toBeUndefined()
  object.json = 1
  object.json = undefined
  expect(object.json).toBeUndefined()
})

test('it is the same value until somebody sets another one', async () => {
  const object = adopted(new Values())
  object.json = { list: [1, 2] }
  const first = object.json
  expect(object.json).toBe(first)
  object.number = 5
  object.text = 'other'
  expect(object.json).toBe(first)
  const thread = startThread('./threads/values.js')
  expect(await thread.run('jsonIsKept', object)).toEqual([true, true])
  await thread.run('write', object, ['json', { list: [1, 2] }])
  expect(object.json).not.toBe(first)
  expect(object.json).toEqual(first)
})

test('a change is refused at any depth, and says what to do', () => {
  const object = adopted(new Values())
  object.json = { list: [{ a: 1 }], map: new Map([['k', { b: 1 }]]), set: new Set([1]), date: new Date(0) }
  const { json } = object
  const changes: (() => void)[] = [
    () => (json.other = 1),
    () => json.list.push(1),
    () => (json.list[0].a = 2),
    () => delete json.list[0].a,
    () => (json.map.get('k').b = 2),
  ]
  for (const change of changes) expect(change).toThrow(TypeError)
  for (const change of [
    () => json.map.set('k', 1),
    () => json.map.delete('k'),
    () => json.map.clear(),
    () => json.set.add(2),
    () => json.date.setFullYear(1999),
  ])
    expect(change).toThrow(/came out of a shared field or container.*Set the whole value again/)
  expect(object.json).toEqual({
    list: [{ a: 1 }],
    map: new Map([['k', { b: 1 }]]),
    set: new Set([1]),
    date: new Date(0),
  })
  expect([json.map instanceof Map, json.set instanceof Set, json.date instanceof Date]).toEqual([true, true, true])
})

test('what cannot be frozen comes anew each time', () => {
  const object = adopted(new Values())
  object.json = { bytes: new Uint8Array([1]) }
  object.json.bytes[0] = 9
  expect(object.json.bytes[0]).toBe(1)
})

test('what is no value is refused with its place, and changes nothing', () => {
  class Money {
    amount = 1
  }
  const object = adopted(new Values())
  object.json = { kept: true }
  const refused: [unknown, RegExp][] = [
    [{ a: [1, () => 1] }, /the function \(anonymous\) at a\.1/],
    [{ a: Symbol('s') }, /a symbol at a/],
    [{ price: new Money() }, /an instance of Money at price/],
    [[new Node('n')], /Node.* at 0.*@Shared\(ref\(Class\)\)/],
    [{ deep: { mutex: new Mutex() } }, /Mutex.* at deep\.mutex/],
    [new WeakMap(), /WeakMap/],
    [{ shared: new SharedArrayBuffer(1) }, /SharedArrayBuffer at shared/],
  ]
  for (const [value, message] of refused) {
    const set = () => {
      object.json = value
    }
    expect(set).toThrow(FlatshareError)
    expect(set).toThrow(message)
  }
  expect(() => {
    object.json = () => 1
  }).toThrow('Values.json is shared as json and takes a JSON-like value, not a function.')
  const thrower = {
    get now(): number {
      throw new RangeError('mine')
    },
  }
  expect(() => {
    object.json = thrower
  }).toThrow('mine')
  expect(object.json).toEqual({ kept: true })
})

test('the constructor’s value that is refused stays where it is', () => {
  const object = new Values()
  object.json = { a: [() => 1] }
  object.text = 'early'
  expect(() => object.both()).toThrow(/the function/)
  expect(object.text).toBe('early')
  object.json = 1
  expect([object.both(), object.json]).toEqual(['earlyearly', 1])
})

test('any value, as structured clone keeps it', () => {
  const object = adopted(new Values())
  const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true })
  fc.assert(
    fc.property(anything, (value) => {
      object.json = value
      expect(object.json).toEqual(structuredClone(value))
    }),
    { numRuns: 300 },
  )
})
