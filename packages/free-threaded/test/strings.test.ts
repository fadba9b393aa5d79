import { FreeThreaded } from '@flatshare/free-threaded'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startThread } from './thread.js'
import { adopted, Values } from './value-classes.js'

const lengths = [0, 1, 7, 8, 31, 32, 33, 39, 40, 41, 255, 256, 4095, 4096, 4097, 8191, 65_535, 65_536, 65_537, 100_000]
const samples: Record<string, string> = {
  ASCII: 'abc~\0\n',
  'latin1, where Windows differs': '\u0080\u009f\u00a0é\u00ff',
  'two bytes': 'Ā日\uffff',
  'pairs of surrogates': '😀𝒳',
  'lone surrogates': '\ud800x\udfff',
  'surrogates the wrong way round': '\udc00\ud800',
  'byte order marks': '\ufeffa\ufffe',
}
const boundary = (unit: string): string[] =>
  lengths.map((length) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length))

describe.each(Object.entries(samples))('%s', (_, unit) => {
  test('every length around a limit, from inside and outside', () => {
    const values = adopted(new Values())
    for (const text of boundary(unit)) {
      values.text = text
      expect(values.text === text).toBe(true)
      expect(values.both() === text + text).toBe(true)
    }
  })

  test('what is not of that kind comes last', () => {
    const values = adopted(new Values())
    for (const text of boundary('a')) {
      values.text = text + unit
      expect(values.text === text + unit).toBe(true)
    }
  })
})

test('any string, read again and again', () => {
  const values = adopted(new Values())
  const lone = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme' }),
    lone,
  )
  fc.assert(
    fc.property(texts, texts, (first, second) => {
      expect(values.setTwice(first, second)).toBe(first + second)
      expect([values.text, values.text]).toEqual([second, second])
    }),
    { numRuns: 500 },
  )
})

test('a field that was never set is empty', () => {
  class Bare {
    text!: string
    read() {
      return this.text
    }
  }
  FreeThreaded({ name: 'Bare', shared: { text: 'string' } })(Bare)
  expect(new Bare().read()).toBe('')
})

test('what is no string is refused, and changes nothing', () => {
  const values = adopted(new Values())
  values.text = 'kept'
  for (const wrong of [1, null, undefined, {}, Symbol('x'), new String('x')]) {
    expect(() => {
      values.text = wrong as string
    }).toThrow(/^Values\.text is shared as string and takes a string, not /)
  }
  expect(values.text).toBe('kept')
})

test('another thread reads and writes them', async () => {
  const thread = startThread('./threads/values.js')
  const values = new Values()
  for (const unit of Object.values(samples)) {
    for (const length of [1, 40, 70_000]) {
      const text = unit.repeat(length).slice(0, length)
      values.text = text
      // A message replaces nothing either.
      expect((await thread.run('read', values, 'text')) === text).toBe(true)
      await thread.run('write', values, ['text', `${text}!`])
      expect(values.text === `${text}!`).toBe(true)
    }
  }
})

test('nobody ever sees half a string', async () => {
  const values = new Values()
  const [a, b] = ['a'.repeat(300), '日'.repeat(200)]
  values.text = a
  const threads = [startThread('./threads/values.js'), startThread('./threads/values.js')]
  const odd = await Promise.all(threads.map((thread) => thread.run('alternate', values, [a, b, 5000])))
  expect(odd).toEqual([0, 0])
  expect([a, b]).toContain(values.text)
})

test('an error in a method leaves what was set, and the lock free', () => {
  const values = adopted(new Values())
  expect(() => values.setThenThrow('set', { n: 1 })).toThrow(RangeError)
  expect([values.text, values.json]).toEqual(['set', { n: 1 }])
})

test('bytes are copied in and out', async () => {
  const values = adopted(new Values())
  expect(values.bytes).toEqual(new Uint8Array(0))
  const given = Uint8Array.of(0, 1, 255)
  values.bytes = given
  given[0] = 9
  const read = values.bytes
  expect(read).toEqual(Uint8Array.of(0, 1, 255))
  read[1] = 9
  expect(values.bytes).toEqual(Uint8Array.of(0, 1, 255))
  const thread = startThread('./threads/values.js')
  await thread.run('write', values, ['bytes', new Uint8Array(70_000).fill(7)])
  expect(values.bytes).toEqual(new Uint8Array(70_000).fill(7))
  values.bytes = new Uint8Array(new SharedArrayBuffer(3)).fill(4)
  expect(await thread.run('readInside', values, 'bytes')).toEqual(Uint8Array.of(4, 4, 4))
  values.bytes = Uint8Array.of(1, 2, 3, 4).subarray(1, 3)
  expect(values.bytes).toEqual(Uint8Array.of(2, 3))
  expect(() => {
    values.bytes = [1] as never
  }).toThrow('Values.bytes is shared as bytes and takes a Uint8Array, not an object of Array.')
})
