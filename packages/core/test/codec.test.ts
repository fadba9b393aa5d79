import { once } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { Worker } from 'node:worker_threads'
import { FlatshareError, marshal, NotMarshalableError, registerError } from '@flatshare/core'
import {
  allocate,
  decodeValue,
  encodeValue,
  freeValue,
  i32,
  MARSHALER,
  type Marshaler,
  readValue,
  registerMarshaler,
  u8,
  writeValue,
} from '@flatshare/core/internal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anything, refused, tables, values } from './codec-values.js'
import { sample } from './samples.js'

class Token {
  constructor(readonly number: number) {}
}
const released: number[] = []
let refuseTokens = false
const tokens: Marshaler<Token, number> = {
  kind: 'codec-token',
  model: 'free',
  marshal: (token) => token.number,
  unmarshal(number) {
    if (refuseTokens) throw new RangeError('no more tokens')
    return new Token(number)
  },
  release: (number) => released.push(number),
}
Object.defineProperty(Token.prototype, MARSHALER, { value: tokens })
registerMarshaler(tokens)

const cross = <T>(value: T): T => decodeValue(encodeValue(value)) as T

/** That it arrives as structured clone would bring it. */
function expectAsCloned(value: unknown): void {
  const arrived = cross(value)
  const expected = structuredClone(value)
  if (!isDeepStrictEqual(arrived, expected)) expect(arrived).toStrictEqual(expected)
}

describe('a value as bytes is what structured clone makes of it:', () => {
  for (const [what, list] of Object.entries(values)) {
    it(what, () => {
      for (const value of list) expectAsCloned(value)
      expectAsCloned(list)
      expectAsCloned({ deep: { list } })
    })
  }

  it('whatever it is made of', () => {
    fc.assert(fc.property(anything, expectAsCloned), { numRuns: 1000 })
  })

  it('whatever strings stand in it, in any number', () => {
    fc.assert(fc.property(tables, expectAsCloned), { numRuns: 200 })
  })
})

describe('identity inside a value', () => {
  it('is kept: cycles, shared parts and what they are keys of', () => {
    const shared = { date: new Date(1), pattern: /a/ }
    const value: any = { a: shared, b: [shared, shared.date, shared.pattern], map: new Map(), set: new Set() }
    value.self = value
    value.map.set(value.map, shared).set(shared, value)
    value.set.add(value.set).add(shared)
    value.boxed = [Object('x')]
    value.boxed.push(value.boxed[0], value.boxed)
    const arrived = cross(value)
    expect(arrived.self).toBe(arrived)
    expect(arrived.b).toEqual([arrived.a, arrived.a.date, arrived.a.pattern])
    expect(arrived.b[1]).toBe(arrived.a.date)
    expect(arrived.b[2]).toBe(arrived.a.pattern)
    expect(arrived.map.get(arrived.map)).toBe(arrived.a)
    expect(arrived.map.get(arrived.a)).toBe(arrived)
    expect(arrived.set.has(arrived.set) && arrived.set.has(arrived.a)).toBe(true)
    expect(arrived.boxed[1]).toBe(arrived.boxed[0])
    expect(arrived.boxed[2]).toBe(arrived.boxed)
  })

  it('is kept among any number of objects', () => {
    for (const count of [2, 31, 32, 33, 5000]) {
      const list: any[] = Array.from({ length: count }, (_, number) => ({ number }))
      for (const [i, item] of list.entries()) item.next = list[(i * 7 + 1) % count]
      const arrived = cross(list)
      for (const [i, item] of arrived.entries()) expect(item.next).toBe(arrived[(i * 7 + 1) % count])
    }
  })

  it('is kept in trees of objects with the same keys', () => {
    const tree = (depth: number): unknown => depth && { left: tree(depth - 1), right: tree(depth - 1), depth }
    expectAsCloned(tree(8))
    expectAsCloned([{ a: { a: { a: 1 } } }, { a: { b: { a: 2 } } }])
  })

  it('makes the views of one buffer views of one buffer', () => {
    const buffer = new ArrayBuffer(16)
    const value = { bytes: new Uint8Array(buffer, 4, 8), words: new Uint16Array(buffer), buffer }
    value.words.fill(0x1234)
    const arrived = cross(value)
    expect(arrived.bytes.buffer).toBe(arrived.buffer)
    expect(arrived.words.buffer).toBe(arrived.buffer)
    expect([arrived.bytes.byteOffset, arrived.bytes.length]).toEqual([4, 8])
    arrived.bytes[0] = 9
    expect(arrived.words[2]).toBe(0x1209)
    expect(value.bytes[0]).toBe(0x34)
  })

  it('keeps what a resizable buffer and its views are', () => {
    for (const [bytes, max] of [
      [8, 32],
      [8, 8],
      [0, 16],
      [13, 24],
    ] as const) {
      const buffer = new ArrayBuffer(bytes, { maxByteLength: max })
      const views = () => [
        new Uint8Array(buffer),
        new Uint8Array(buffer, 0, bytes),
        ...(bytes % 4 === 0 ? [new Int32Array(buffer)] : []),
        new DataView(buffer),
        new DataView(buffer, 0, bytes),
      ]
      const made = cross([buffer, ...views()] as [ArrayBuffer, ...ArrayBufferView[]])
      const cloned = structuredClone([buffer, ...views()] as [ArrayBuffer, ...ArrayBufferView[]])
      for (const [its, ...both] of [made, cloned]) {
        expect(its.maxByteLength).toBe(max)
        expect(both.every((view) => view.buffer === its)).toBe(true)
        its.resize(Math.min(max, 16))
      }
      const lengths = (list: unknown[]) => list.map((view) => (view as Uint8Array).byteLength)
      expect(lengths(made)).toEqual(lengths(cloned))
    }
  })
})

describe('keys', () => {
  it('named __proto__ do not become a prototype', () => {
    for (const text of [
      '{"__proto__": {"polluted": true}}',
      '[{"a": 1, "__proto__": null}, {"a": 2, "__proto__": []}]',
    ]) {
      const value = JSON.parse(text)
      const arrived = cross(value)
      expect(JSON.stringify(arrived)).toBe(JSON.stringify(value))
      for (const x of [arrived, ...(Array.isArray(arrived) ? arrived : [])]) {
        expect([Object.prototype, Array.prototype]).toContain(Object.getPrototypeOf(x))
      }
    }
    expect(({} as any).polluted).toBeUndefined()
  })

  it('whose member a getter deletes, or adds, are those that structured clone finds', () => {
    const make = () => ({
      get first() {
        delete (this as any).second
        ;(this as any).third = 3
        return 1
      },
      second: 2,
    })
    expect(cross(make())).toStrictEqual(structuredClone(make()))
  })

  it('may be of more different lists than are kept', () => {
    for (let i = 0; i < 3000; i++)
      expect(cross({ [`a${i}`]: i, b: [{ [`a${i}`]: 0, b: 1 }] })).toEqual({
        [`a${i}`]: i,
        b: [{ [`a${i}`]: 0, b: 1 }],
      })
  })

  it('that join to the same text are told apart', () => {
    expect(cross([{ ab: 1, c: 2 }, { a: 1, bc: 2 }, { abc: 3 }])).toEqual([
      { ab: 1, c: 2 },
      { a: 1, bc: 2 },
      { abc: 3 },
    ])
  })
})

describe('references', () => {
  it('cross as themselves, as one where they were one, and everything around them is kept', () => {
    const token = new Token(7)
    const shared = { token }
    const [first, second, map] = cross([token, shared, new Map([[token, [shared]]])] as const)
    expect(first).toBeInstanceOf(Token)
    expect(first.number).toBe(7)
    expect(second.token).toBe(first)
    expect(map.get(first)![0]).toBe(second)
  })

  it('are let go when a later part cannot cross, when reading fails, and when nobody reads', () => {
    released.length = 0
    expect(() => encodeValue([new Token(1), { x: Symbol('s') }])).toThrow(NotMarshalableError)
    expect(released).toEqual([1])
    const bytes = encodeValue([new Token(2), new Token(3)])
    refuseTokens = true
    try {
      expect(() => decodeValue(bytes)).toThrow('no more tokens')
      expect(released).toEqual([1, 3])
      expect(() => decodeValue(encodeValue([new Token(4), new Token(5)], { table: true }))).toThrow('no more tokens')
      expect(released).toEqual([1, 3])
    } finally {
      refuseTokens = false
    }
    freeValue(writeValue({ a: new Token(6), b: [new Token(7)] }).address, { unread: true })
    expect(released).toEqual([1, 3, 6, 7])
  })

  it('whose package is not imported say so', () => {
    class Stray {}
    Object.defineProperty(Stray.prototype, MARSHALER, { value: { kind: 'stray', marshal: () => 1 } })
    expect(() => cross({ a: new Stray() })).toThrow(/kind "stray".*hasn't imported/)
    class Free {}
    Object.defineProperty(Free.prototype, MARSHALER, { value: { kind: 'free', marshal: () => 1 } })
    expect(() => cross({ a: new Free() })).toThrow(/import '@flatshare\/free-threaded' there/)
  })

  it('that need a port are refused, and its port closed', () => {
    const closed: string[] = []
    class Ported {}
    Object.defineProperty(Ported.prototype, MARSHALER, {
      value: {
        kind: 'ported',
        marshal(_: Ported, { transferList }: { transferList: unknown[] }) {
          transferList.push('port')
          return { port: 'port' }
        },
        release: ({ port }: { port: string }) => closed.push(port),
      },
    })
    expect(() => encodeValue({ list: [new Ported()] })).toThrow(
      /kind "ported", which needs a message port.* at list\.0\./,
    )
    expect(closed).toEqual(['port'])
    expect(cross([1])).toEqual([1])
  })

  it('that their marshalers refuse, or refuse a part of, are told with their place', () => {
    class Picky {
      constructor(readonly part?: unknown) {}
    }
    Object.defineProperty(Picky.prototype, MARSHALER, {
      value: {
        kind: 'picky',
        marshal({ part }: Picky, context: { pack(x: unknown): unknown }) {
          if (part === undefined) throw new NotMarshalableError('This one stays here.')
          return context.pack([part])
        },
      },
    })
    expect(() => encodeValue(new Picky())).toThrow(/^This one stays here\.$/)
    expect(() => encodeValue({ list: [new Picky()] })).toThrow(/^This one stays here\. It stands at list\.0\.$/)
    expect(() => encodeValue({ a: new Picky({ b: Symbol('s') }) })).toThrow(/contains a symbol at a\.0\.b\.$/)
    expect(() => encodeValue({ a: new Picky({ b: new Picky() }) })).toThrow(/stays here\. It stands at a\.0\.b\.$/)
  })

  it('may encode and decode other values while they are packed', () => {
    class Nested {
      constructor(readonly inner: unknown) {}
    }
    const nested: Marshaler<Nested, Uint8Array> = {
      kind: 'nested',
      model: undefined,
      marshal: ({ inner }) => encodeValue(inner),
      unmarshal: (bytes) => new Nested(decodeValue(bytes)),
    }
    Object.defineProperty(Nested.prototype, MARSHALER, { value: nested })
    registerMarshaler(nested)
    const value = { a: 1, nested: new Nested({ a: 2, nested: new Nested(['three']) }), b: 'four' }
    expect(cross(value)).toEqual(value)
  })
})

describe('errors', () => {
  class OverdrawnError extends Error {
    override name = 'OverdrawnError'
    constructor(
      readonly missing: number,
      readonly by: Token,
    ) {
      super(`${missing} missing`)
    }
  }
  registerError(OverdrawnError)

  it('keep class, message, cause, own fields and the stack with its thread', () => {
    const error = new OverdrawnError(5, new Token(9))
    error.cause = new TypeError('below')
    const arrived = cross({ error, again: error })
    expect(arrived.error).toBeInstanceOf(OverdrawnError)
    expect(arrived.again).toBe(arrived.error)
    expect(arrived.error).toMatchObject({ name: 'OverdrawnError', message: '5 missing', missing: 5, by: { number: 9 } })
    expect(arrived.error.cause).toBeInstanceOf(TypeError)
    expect(arrived.error.stack).toMatch(/codec\.test.*on the thread "main"/s)
  })

  it('arrive whatever hangs on them, and what can cross beside that', () => {
    released.length = 0
    const kept = { kept: true }
    const error: any = new AggregateError([new RangeError('a'), 'b'], 'carrying')
    Object.assign(error, {
      fn: () => 1,
      symbol: Symbol('s'),
      half: [kept, new Token(1), () => 1],
      kept,
      self: { error },
    })
    error.cause = error
    const arrived = cross([kept, error, kept])
    expect(arrived[1]).toBeInstanceOf(AggregateError)
    expect(arrived[1].errors).toEqual([expect.any(RangeError), 'b'])
    expect(arrived[1]).toMatchObject({
      message: 'carrying',
      fn: undefined,
      half: undefined,
      self: { error: undefined },
    })
    expect(arrived[1].cause).toBeUndefined()
    expect(arrived[1].kept).toBe(arrived[0])
    expect(arrived[2]).toBe(arrived[0])
    expect(released).toEqual([1])
  })

  it('of the platform arrive as such', () => {
    const abort = cross(new DOMException('stopped', 'AbortError'))
    expect(abort).toBeInstanceOf(DOMException)
    expect([abort.name, abort.message]).toEqual(['AbortError', 'stopped'])
  })
})

describe('what has no bytes is refused, with its place:', () => {
  for (const [value, what] of refused) {
    it(String(what), () => {
      expect(() => encodeValue(value)).toThrow(NotMarshalableError)
      expect(() => encodeValue(value)).toThrow(what)
      expect(() => encodeValue({ list: [1, { deep: value }] })).toThrow(/ at list\.1\.deep\./)
      expect(() => encodeValue(new Map([['k', [value]]]))).toThrow(/ at k\.0\./)
      expect(() => encodeValue(new Set([[value]]))).toThrow(/ at member\.0\./)
    })
  }

  it('as deeply nested as the stack is not', () => {
    let value: unknown = 1
    for (let i = 0; i < 200_000; i++) value = [value]
    expect(() => encodeValue(value)).toThrow(/nested too deeply/)
    expect(cross([1])).toEqual([1])
  })

  it('and what a getter throws comes through', () => {
    const value = {
      get bad() {
        throw new URIError('own')
      },
    }
    expect(() => encodeValue([value])).toThrow(URIError)
    expect(cross({ after: 1 })).toEqual({ after: 1 })
  })
})

describe('damaged bytes', () => {
  const whole = () =>
    encodeValue([
      sample(77),
      new RangeError('r'),
      new Token(3),
      /a(b)/g,
      new ArrayBuffer(3, { maxByteLength: 9 }),
      Object.assign(new Array(2), { 1: 1 }),
    ])

  it('that end too early are told', () => {
    const bytes = whole()
    for (let length = 0; length < bytes.length; length += 1 + (length >> 6)) {
      expect(() => decodeValue(bytes.subarray(0, length))).toThrow(FlatshareError)
    }
    // As long as they say they are, and cut in the middle.
    const view = new DataView(bytes.buffer)
    for (let end = 16; end < view.getUint32(12, true); end += 3) {
      const cut = bytes.slice()
      new DataView(cut.buffer).setUint32(12, end, true)
      expect(() => decodeValue(cut)).toThrow(/damaged|version/)
    }
  })

  it('that were changed give a value or an error, and always end', () => {
    const bytes = whole()
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const changed = bytes.slice()
          for (const [at, byte] of changes) changed[at] = byte
          try {
            decodeValue(changed)
          } catch (error) {
            expect(error).toBeInstanceOf(FlatshareError)
          }
        },
      ),
      { numRuns: 3000 },
    )
    expect(cross({ after: 1 })).toEqual({ after: 1 })
  })

  it('that are none at all, or nested without end, are told', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tokens) => {
        const bytes = new Uint8Array(16 + tokens.length)
        bytes.set(encodeValue(1).subarray(0, 16))
        bytes.set(tokens, 16)
        const head = new DataView(bytes.buffer)
        head.setUint32(4, bytes.length, true)
        head.setUint32(12, bytes.length, true)
        try {
          decodeValue(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(FlatshareError)
        }
      }),
      { numRuns: 2000 },
    )
    const deep = new Uint8Array(1_000_000).fill(0xc1)
    deep.set(encodeValue(1).subarray(0, 16))
    const head = new DataView(deep.buffer)
    head.setUint32(4, deep.length, true)
    head.setUint32(12, deep.length, true)
    expect(() => decodeValue(deep)).toThrow(/damaged/)
  })

  it('of another version are told', () => {
    const bytes = encodeValue(1)
    bytes[1]!++
    expect(() => decodeValue(bytes)).toThrow(/encoded in version 2.*one version/)
  })
})

describe('values in shared memory', () => {
  it('are read any number of times with `table`, each time anew', () => {
    const { address, bytes } = writeValue({ a: [1], token: new Token(1) }, { table: true })
    expect(address % 16).toBe(0)
    expect(bytes).toBeGreaterThan(16)
    const first = readValue(address)
    const second = readValue(address)
    expect(first).toEqual({ a: [1], token: new Token(1) })
    expect(second).toEqual(first)
    expect(second).not.toBe(first)
    freeValue(address)
  })

  it('give their blocks back', () => {
    const { address } = writeValue('the same')
    freeValue(address)
    expect(writeValue('the same').address).toBe(address)
    freeValue(address)
  })

  it('of any size fit', () => {
    const value = { text: 'é'.repeat(3_000_000), bytes: new Uint8Array(2_000_000).fill(7) }
    const { address } = writeValue(value)
    expect(isDeepStrictEqual(readValue(address), value)).toBe(true)
    freeValue(address)
  })

  it('are not taken for others: an address without one is told', () => {
    const empty = allocate(16)
    for (const none of [empty, 0, -16, 8, 2 ** 40, Number.NaN]) {
      expect(() => readValue(none)).toThrow(/no value at the address/)
      expect(() => freeValue(none)).toThrow(/no value at the address/)
    }
    u8[empty] = 0xf5
    expect(() => readValue(empty)).toThrow(/no value at the address/)
  })

  it('go both ways between two threads, one of which is always blocked', async () => {
    const cell = allocate(16)
    const word = cell >> 2
    const rounds = 300
    i32[word] = 2
    const [workerData, transferList] = marshal({ cell, rounds })
    const worker = new Worker(new URL('./threads/coding.js', import.meta.url), { workerData, transferList })
    const ended = once(worker, 'exit')
    let differed = 0
    for (let round = 0; round < rounds; round++) {
      i32[word + 1] = writeValue(sample(round)).address
      Atomics.store(i32, word, 1)
      Atomics.notify(i32, word)
      // At first the thread still starts, which needs this one's event loop.
      while (round === 0 && Atomics.load(i32, word) === 1) await new Promise(setImmediate)
      while (Atomics.load(i32, word) === 1) expect(Atomics.wait(i32, word, 1, 20_000)).not.toBe('timed-out')
      const read = i32[word + 1]!
      if (!isDeepStrictEqual(readValue(read), sample(round + 1000))) differed++
      freeValue(read)
    }
    expect(differed).toBe(0)
    expect(i32[word + 2]).toBe(0)
    expect(await ended).toEqual([0])
  })
})

describe('objects of the platform', () => {
  it('of which copies would be empty are refused, with their place and what to send instead', () => {
    expect(() => cross({ a: [new Headers()] })).toThrow(/a Headers at a\.0\. Send instead: its entries/)
  })

  it('that are URLs cross as themselves', () => {
    const { url, query } = cross({ url: new URL('https://example.org/?a=1'), query: new URLSearchParams('b=2') })
    expect(url).toBeInstanceOf(URL)
    expect([url.href, query.get('b')]).toEqual(['https://example.org/?a=1', '2'])
  })
})
