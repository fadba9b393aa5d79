import { type CallMessage, messages } from '@flatshare/apartment/internal'
import { type ForeignThread, joinForeign } from '@flatshare/core/internal'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PlainContext, PlainReader, TOO_DEEP } from '../dist/plain-reader.js'
import { isPlainRecord, LONGEST_RUN } from '../dist/plain-record.js'
import { PlainWriter } from '../dist/plain-writer.js'
import { aliases, Nonsense, Translation } from '../dist/translate.js'

const { CALL, ANSWER } = messages

let thread: ForeignThread
let translation: Translation
beforeAll(() => {
  const home = { process: 'other', pid: 1, thread: 1, name: 'main' }
  thread = joinForeign(home, 'other')
  translation = new Translation(home, thread, 'other')
})
afterAll(() => {
  translation.clear()
  thread.end()
  expect(aliases()).toBe(0)
})

const callOf = (number: number, member: string, deadline?: number, oneWay = false): CallMessage =>
  [CALL, 5, 'call', member, [number], undefined, undefined, deadline, undefined, undefined, oneWay] as CallMessage

/** Both ends of a link. */
class Ends {
  readonly records: Uint8Array[] = []
  readonly context: PlainContext
  readonly writer: PlainWriter

  constructor(most = LONGEST_RUN, maxDepth?: number) {
    this.writer = new PlainWriter(1, most, () => this.take())
    this.context = new PlainContext(maxDepth)
  }

  call(number: number, member: string, args: unknown[], deadline?: number, oneWay?: boolean): boolean {
    return this.writer.write(callOf(number, member, deadline, oneWay), args, translation)
  }

  answer(number: number, value: unknown): boolean {
    return this.writer.write([ANSWER, number, undefined, undefined], value, translation)
  }

  take(): void {
    if (this.writer.length > 0) this.records.push(this.writer.take())
  }

  /** What comes: copies, as one message stays only until the next is read. */
  receive(): unknown[][] {
    this.take()
    return this.records.splice(0).flatMap((record) => {
      expect(record[0]).toBe(1)
      expect(isPlainRecord(record, 1)).toBe(true)
      return read(record, this.context)
    })
  }
}

function read(record: Uint8Array, context: PlainContext): unknown[][] {
  const reader = new PlainReader(record, 1, record.length)
  const came: unknown[][] = []
  for (;;) {
    const message = reader.next(context, translation)
    if (message === undefined) return came
    came.push(message === TOO_DEEP ? [TOO_DEEP] : [...message])
  }
}

const simple = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, 63, 191, 192, -1, 2 ** 31, -(2 ** 31), 2 ** 31 - 1),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.string({ maxLength: 100 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
)
const bare = fc.oneof(
  simple,
  fc.bigInt(),
  fc.date(),
  fc.array(simple, { maxLength: 40 }),
  fc.dictionary(fc.string(), fc.oneof(simple, fc.array(simple), fc.dictionary(fc.string(), simple))),
  fc.array(fc.tuple(simple, simple)).map((pairs) => new Map(pairs)),
)

describe('calls and answers', () => {
  it('arrive as they were, in their order', () => {
    const numbers = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    const sent = fc.oneof(
      fc.record({ number: numbers, member: fc.string({ maxLength: 70 }), args: fc.array(bare, { maxLength: 40 }) }),
      fc.record({ number: numbers, value: bare }),
    )
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 30 }), (list) => {
        const ends = new Ends()
        const expected: unknown[][] = []
        for (const one of list) {
          if ('value' in one) {
            const known = translation.theirs(one.number)
            if (ends.answer(one.number, one.value)) expected.push([ANSWER, known, one.value])
          } else if (ends.call(one.number, one.member, one.args)) {
            expected.push([CALL, one.number, one.member, one.args])
          }
        }
        const came = ends.receive().map((message) => {
          if (message[0] !== CALL) return [ANSWER, message[1], message[2]]
          return [CALL, translation.theirs((message[4] as number[])[0]!), message[3], message[5]]
        })
        expect(came).toEqual(expected)
      }),
    )
  })

  it('say which object, how, and whether an answer is wanted', () => {
    const ends = new Ends()
    expect(ends.call(1, 'add', [1], undefined, true)).toBe(true)
    expect(ends.call(2, 'add', [1], Date.now() + 60_000)).toBe(true)
    const [one, other] = ends.receive()
    expect([one![1], one![2], one![7], one![10]]).toEqual([5, 'call', undefined, true])
    expect(other![10]).toBe(false)
    expect((other![7] as number) - Date.now()).toBeGreaterThan(50_000)
  })

  it('go another way with references, instances, bytes and what is too large, and leave nothing behind', () => {
    class Own {}
    const ends = new Ends()
    for (const x of [() => 1, new Own(), new Uint8Array(1), new Error('e'), Symbol('s'), 'x'.repeat(1 << 17)]) {
      expect(ends.call(1, 'm', [1, { x }])).toBe(false)
      expect(ends.answer(1, [x])).toBe(false)
    }
    expect(ends.call(1, 'long'.repeat(20), [])).toBe(false)
    expect(ends.receive()).toEqual([])
    expect(ends.call(1, 'm', [{ x: 1 }])).toBe(true)
    expect(ends.receive().map((message) => message[5])).toEqual([[{ x: 1 }]])
  })

  it('that a getter sends meanwhile come before', () => {
    const ends = new Ends()
    const nested = {
      get x() {
        ends.call(2, 'inner', [{ y: 1 }])
        return 1
      },
    }
    expect(ends.call(1, 'outer', [nested])).toBe(true)
    expect(ends.receive().map((message) => [message[3], message[5]])).toEqual([
      ['inner', [{ y: 1 }]],
      ['outer', [{ x: 1 }]],
    ])
  })

  it('that a getter keeps from being sent leave nothing behind', () => {
    const ends = new Ends()
    const failing = {
      a: 1,
      get x() {
        throw new RangeError('no')
      },
    }
    expect(() => ends.call(1, 'm', [failing])).toThrow(/no/)
    expect(ends.answer(2, { a: 1 })).toBe(true)
    expect(ends.receive().map((message) => message[2])).toEqual([{ a: 1 }])
  })

  it('are taken together, no more than a run may have', () => {
    const ends = new Ends(2048)
    for (let i = 0; i < 200; i++) expect(ends.call(i, `m${i % 7}`, [`text ${i}`, { i }])).toBe(true)
    ends.take()
    expect(ends.records.length).toBeGreaterThan(1)
    for (const { length } of ends.records) expect(length).toBeLessThanOrEqual(2048)
    expect(ends.receive().map((message) => (message[5] as unknown[])[1])).toEqual(
      Array.from({ length: 200 }, (_, i) => ({ i })),
    )
  })
})

describe('what others send', () => {
  it('can do no more than make no sense', () => {
    const ends = new Ends()
    ends.call(1, 'add', [1, 'two', { three: [3] }])
    ends.answer(2, { a: new Map([[1, 2]]) })
    ends.take()
    const [record] = ends.records
    const change = fc.tuple(fc.nat({ max: record!.length - 2 }), fc.nat({ max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat({ max: record!.length }), (changes, cut) => {
        const damaged = Uint8Array.from(record!)
        for (const [at, byte] of changes) damaged[at + 1] = byte
        for (const bytes of [damaged, record!.subarray(0, cut)]) {
          try {
            read(bytes, new PlainContext(undefined))
          } catch (error) {
            expect(error).toBeInstanceOf(Nonsense)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is nested no deeper than allowed', () => {
    const ends = new Ends(LONGEST_RUN, 5)
    ends.answer(1, [[[[1]]]])
    expect(ends.receive()).toHaveLength(1)
    ends.answer(1, [[[[[1]]]]])
    expect(() => ends.receive()).toThrow(/nested more than 5 deep/)
  })
})
