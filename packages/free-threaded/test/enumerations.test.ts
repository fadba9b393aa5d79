import { enumeration, FreeThreaded, Shared, type SharedType, snapshot } from '@flatshare/free-threaded'
import { describe, expect, test } from 'vitest'
import { startThread } from './thread.js'
import { adopted, Choices, Color, Size } from './value-classes.js'

test('each value of each kind, on two threads', async () => {
  const thread = startThread('./threads/values.js')
  const choices = new Choices()
  const all: [keyof Choices, unknown[]][] = [
    ['door', ['open', 'closed', 'ajar']],
    ['color', [Color.red, Color.green, Color.blue]],
    ['size', [Size.small, Size.large]],
    ['odd', ['a|b', 'a', '"b"', '7']],
  ]
  for (const [key, values] of all) {
    for (const value of values) {
      ;(choices as any)[key] = value
      expect(choices[key]).toBe(value)
      expect(await thread.run('read', choices, key)).toBe(value)
      expect(await thread.run('readInside', choices, key)).toBe(value)
      await thread.run('write', choices, [key, values[0]])
      expect(choices[key]).toBe(values[0])
    }
  }
})

test('a field that was given none has the first', () => {
  const choices = adopted(new Choices())
  expect([choices.door, choices.color, choices.size, choices.odd]).toEqual(['closed', Color.green, 'S', 'a|b'])
})

test('what is none of them is refused, and changes nothing', () => {
  const choices = adopted(new Choices())
  const set = (key: keyof Choices, value: unknown) => () => {
    ;(choices as any)[key] = value
  }
  expect(set('door', 'shut')).toThrow(
    new RangeError(
      'Choices.door is shared as enum(open|closed|ajar) and takes one of "open", "closed", "ajar", not the string "shut".',
    ),
  )
  expect(set('door', 1)).toThrow(TypeError)
  expect(set('color', 3)).toThrow(RangeError)
  expect(set('color', 'red')).toThrow(TypeError)
  expect(set('size', 'small')).toThrow(RangeError)
  expect(set('odd', 7)).toThrow(TypeError)
  expect([choices.door, choices.color]).toEqual(['closed', Color.green])
})

test('they are scalars: in snapshots', () => {
  expect(snapshot(adopted(new Choices()))).toMatchObject({ door: 'closed', color: Color.green })
})

describe('more values than a byte has', () => {
  test.each([256, 257, 70_000])('%i', (count) => {
    const names = Array.from({ length: count }, (_, i) => `value ${i}`) as [string, ...string[]]
    class Many {
      value = names[0]
      read() {
        return this.value
      }
    }
    FreeThreaded({ name: `Many${count}`, shared: { value: enumeration(...names) } })(Many)
    const many = new Many()
    for (const value of [names[1]!, names[255]!, names.at(-1)!]) {
      many.value = value
      expect([many.read(), many.value]).toEqual([value, value])
    }
  })
})

test('what is no enumeration is refused at decoration', () => {
  expect(() => enumeration(...([] as never as [string]))).toThrow(/at least one value/)
  expect(() => enumeration('a', 'b', 'a')).toThrow('"a" comes twice in an enumeration.')
  for (const type of [[], ['a', 'a'], [{}], {}, { a: () => 1 }]) {
    expect(() => Shared(type as never as SharedType)({}, 'x')).toThrow(/on x: /)
  }
})
