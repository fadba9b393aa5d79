/** Values as a link between two threads carries them: in the arena, in place. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { isDeepStrictEqual, promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { FlatshareError, marshal, NotMarshalableError, registerCodec, registerError, transfer } from '@flatshare/core'
import {
  allocate,
  decodeFromArena,
  decodeValue,
  encodeInto,
  encodeValue,
  evictEncoding,
  free,
  i32,
  type LinkEncodeOptions,
  MARSHALER,
  type Marshaler,
  ReceivedShapes,
  reach,
  registerMarshaler,
  releaseInArena,
  SentShapes,
  u8,
} from '@flatshare/core/internal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anything, refused, tables, values } from './codec-values.js'
import { sample } from './samples.js'

const SPACE = 1 << 18
const space = allocate(SPACE)
const FROM = 7

/** One direction of a link: what it sends arrives in the order in which encodings end. */
class Direction {
  readonly sent = new SentShapes()
  readonly received = new ReceivedShapes()

  /** The bytes of a value, wherever they were written. */
  encode(x: unknown, room = SPACE, most = Infinity, options?: Partial<LinkEncodeOptions>): Uint8Array | undefined {
    const given = encodeInto(x, space, space + room, most, { shapes: this.sent, ...options })
    if (typeof given !== 'number') return given
    expect(given).toBeLessThanOrEqual(space + room)
    return u8.slice(space, given)
  }

  decode(bytes: Uint8Array): unknown {
    return this.#with(bytes, (start, end) => decodeFromArena(start, end, { from: FROM, shapes: this.received }))
  }

  release(bytes: Uint8Array): void {
    this.#with(bytes, (start, end) => releaseInArena(start, end, { from: FROM, shapes: this.received }))
  }

  /** Anywhere in the arena, and overwritten at once: nothing may refer to it. */
  #with<R>(bytes: Uint8Array, use: (start: number, end: number) => R): R {
    const address = allocate(bytes.length + 8)
    const start = address + (bytes.length % 8)
    u8.set(bytes, start)
    try {
      return use(start, start + bytes.length)
    } finally {
      u8.fill(0xa5, address, address + bytes.length + 8)
      free(address, bytes.length + 8)
    }
  }

  cross<T>(x: T): T {
    return this.decode(this.encode(x)!) as T
  }
}

const direction = new Direction()

class Token {
  constructor(readonly number: number) {}
}
const released: number[] = []
let refuseTokens = false
const tokens: Marshaler<Token, number> = {
  kind: 'link-token',
  model: 'free',
  marshal: (token) => token.number,
  unmarshal(number, { from }) {
    expect(from).toBe(FROM)
    if (refuseTokens) throw new RangeError('no more tokens')
    return new Token(number)
  },
  release: (number) => released.push(number),
}
Object.defineProperty(Token.prototype, MARSHALER, { value: tokens })
registerMarshaler(tokens)

function expectAsCloned(value: unknown): void {
  const expected = structuredClone(value)
  // Twice: the second time the link knows the keys.
  for (let i = 0; i < 2; i++) {
    const arrived = direction.cross(value)
    if (!isDeepStrictEqual(arrived, expected)) expect(arrived).toStrictEqual(expected)
  }
}

describe('a value that a link carries is what structured clone makes of it:', () => {
  for (const [what, list] of Object.entries(values)) {
    it(what, () => {
      for (const value of list) {
        expectAsCloned(value)
        expectAsCloned([value])
      }
      expectAsCloned(list)
      expectAsCloned({ deep: { list } })
    })
  }

  it('whatever it is made of, as in a block of its own', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expectAsCloned(value)
        const arrived = direction.cross(value)
        const decoded = decodeValue(encodeValue(value))
        if (!isDeepStrictEqual(arrived, decoded)) expect(arrived).toStrictEqual(decoded)
      }),
      { numRuns: 1000 },
    )
  })

  it('whatever strings stand in it, in any number', () => {
    fc.assert(fc.property(tables, expectAsCloned), { numRuns: 200 })
  })

  it('texts of any length and width', () => {
    for (const unit of ['a', 'é', '文', '🏠', '\ud800', 'aaaé', 'aa文', '\ufeff']) {
      for (const units of [1, 2, 30, 40, 41, 63, 64, 65, 127, 128, 1000, 5000, 40_000]) {
        const text = unit.repeat(Math.ceil(units / unit.length)).slice(0, units)
        expect(direction.cross([text, 1])[0] === text).toBe(true)
      }
    }
  })
})

describe('a list of the caller’s own making', () => {
  const lists: unknown[][] = [
    [],
    [1, -1, 64, 0.5, -0, Number.NaN, 2 ** 31, -(2 ** 31)],
    ['', 'text', 'é', 'x'.repeat(40), 'x'.repeat(41), true, false, null, undefined],
    Array.from({ length: 40 }, (_, i) => i),
    [1n, { a: 1 }, [2], new Token(3)],
  ]

  it('arrives as any other value', () => {
    for (const list of lists) {
      const bytes = direction.encode(list, SPACE, 0, { list: true })!
      expect(direction.decode(bytes)).toStrictEqual(list)
      expect(bytes).toEqual(direction.encode(list))
    }
  })

  it('may contain one object twice', () => {
    const shared = {}
    const arrived = direction.decode(direction.encode([shared, [shared]], SPACE, 0, { list: true })!) as any
    expect(arrived[1][0]).toBe(arrived[0])
  })
})

/** Can't be read. */
const throwing = {
  get bad() {
    throw new URIError('own')
  },
}

describe('identity inside a value', () => {
  it('is kept: cycles, shared parts, views of one buffer', () => {
    const shared = { date: new Date(1) }
    const buffer = new Uint8Array([1, 2, 3, 4]).buffer
    const value: any = { a: shared, b: [shared, shared.date], whole: new Uint8Array(buffer), map: new Map() }
    value.self = value
    value.part = new Uint8Array(buffer, 1, 2)
    value.buffer = buffer
    value.map.set(value.map, shared)
    const arrived = direction.cross(value)
    expect(arrived.self).toBe(arrived)
    expect(arrived.b[0]).toBe(arrived.a)
    expect(arrived.b[1]).toBe(arrived.a.date)
    expect(arrived.part.buffer).toBe(arrived.buffer)
    expect(arrived.whole.buffer).toBe(arrived.buffer)
    expect(arrived.map.get(arrived.map)).toBe(arrived.a)
  })

  it('is kept among any number of objects, also where a part is taken back', () => {
    for (const count of [2, 14, 15, 16, 17, 30, 31, 32, 33, 34, 63, 64, 65, 3000]) {
      const list: any[] = Array.from({ length: count }, (_, number) => ({ number }))
      for (const [i, item] of list.entries()) item.next = list[(i * 7 + 1) % count]
      // It takes back what it can't read to the end: everything up to the getter.
      const half = [...list.slice(0, count >> 1), throwing]
      const arrived = direction.cross([Object.assign(new Error('half'), { half }), ...list, ...list]).slice(1)
      for (const [i, item] of arrived.entries()) {
        expect(item.number).toBe(i % count)
        expect(item.next).toBe(arrived[((i % count) * 7 + 1) % count])
        expect(item).toBe(arrived[(i + count) % (2 * count)])
      }
    }
  })
})

describe('keys', () => {
  it('that come again are sent by number', () => {
    const link = new Direction()
    const rows = () => [
      { identifier: 1, description: 'a' },
      { identifier: 2, description: 'b' },
    ]
    const first = link.encode(rows())!
    const second = link.encode(rows())!
    expect(link.decode(first)).toEqual(rows())
    expect(link.decode(second)).toEqual(rows())
    expect(second.length).toBe(9)
    expect(link.sent.count).toBe(1)
  })

  it('that come once take no number', () => {
    const link = new Direction()
    for (let i = 0; i < 10_000; i++) expect(link.cross({ [`once${i}`]: i })).toEqual({ [`once${i}`]: i })
    expect(link.sent.count).toBe(0)
  })

  it('named __proto__ do not become a prototype', () => {
    const value = JSON.parse('[{"a": 1, "__proto__": null}, {"a": 2, "__proto__": []}]')
    for (let i = 0; i < 100; i++) {
      const arrived = direction.cross(value)
      expect(JSON.stringify(arrived)).toBe(JSON.stringify(value))
      expect(Object.getPrototypeOf(arrived[1])).toBe(Object.prototype)
    }
  })

  it('whose member a getter deletes, adds or replaces are those that structured clone finds', () => {
    const kinds: Array<(x: any) => void> = [
      (x) => delete x.second,
      (x) => (x.fourth = 4),
      (x) => {
        delete x.second
        x.second = 'again'
      },
      (x) => {
        delete x.third
        x[0] = 0
      },
      (x) => Object.defineProperty(x, 'second', { enumerable: false, value: 'hidden' }),
    ]
    for (const change of kinds) {
      const make = () => ({
        get first() {
          change(this)
          return 1
        },
        second: 2,
        third: { deep: 3 },
      })
      // More than once: then the keys are expected, and often: then their objects are made otherwise.
      for (let i = 0; i < 100; i++) expect(direction.cross([make()])).toStrictEqual(structuredClone([make()]))
    }
  })

  it('that come often, whatever they are, and whatever is missing inside', () => {
    const odd = [
      '"',
      "'",
      '\\',
      '\n',
      '\u2028',
      '\0',
      '$\u007bx}',
      '`',
      '*/',
      '\ud800',
      '',
      '1',
      '0',
      'constructor',
      'a b',
      'é文',
    ]
    const lists = [odd, odd.map((key) => `${key}]`), Array.from({ length: 100 }, (_, i) => `key ${i}`)]
    for (const keys of lists) {
      const make = (): any => {
        const x: any = Object.fromEntries(keys.map((key, i) => [key, i]))
        x[keys[2]!] = x
        x[keys[3]!] = {
          get a() {
            delete x[keys[4]!]
            delete (this as any).b
            return 1
          },
          b: 2,
          c: { d: x },
        }
        return x
      }
      for (let i = 0; i < 100; i++) expect(direction.cross([make()])).toStrictEqual(structuredClone([make()]))
    }
  })

  it('that come often, where the program does not let texts be compiled', async () => {
    const script = `
      import { allocate, decodeFromArena, encodeInto, ReceivedShapes, SentShapes } from '@flatshare/core/internal'
      const [sent, received, space] = [new SentShapes(), new ReceivedShapes(), allocate(4096)]
      for (let i = 0; i < 100; i++) {
        const end = encodeInto({ i, name: 'text' }, space, space + 4096, 4096, { shapes: sent })
        const { i: arrived, name } = decodeFromArena(space, end, { from: 7, shapes: received })
        if (arrived !== i || name !== 'text') throw new Error('it is another')
      }
      console.log('all arrived')`
    const args = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
    expect(stdout).toBe('all arrived\n')
  })

  it('that plain objects inherit are not sent', () => {
    const own = { a: 1, inherited: 2 }
    expect(direction.cross([own])).toEqual([own])
    const prototype = Object.prototype as { inherited?: number }
    prototype.inherited = 3
    try {
      expect(Object.keys(direction.cross([own, { a: 1 }])[1]!)).toEqual(['a'])
      expect(Object.keys(direction.cross([{ a: 1 }])[0]!)).toEqual(['a'])
    } finally {
      delete prototype.inherited
    }
  })

  it('of two links are each link’s own', () => {
    const [a, b] = [new Direction(), new Direction()]
    for (let i = 0; i < 3; i++) {
      for (const link of [a, b, a])
        expect(link.cross([{ x: i }, { y: i, z: [{ x: i }] }])).toEqual([{ x: i }, { y: i, z: [{ x: i }] }])
    }
  })
})

/** What takes several kinds of token, tells whether it is let go, and has keys of its own. */
const mixed = (own: string): unknown => ({
  number: 1,
  double: 0.5,
  text: 'é'.repeat(20),
  long: 'l'.repeat(100),
  wide: '文'.repeat(60),
  mostly: `${'a'.repeat(90)}é`,
  [own]: [1n, 10n ** 30n, new Date(5), /a/g, { [`${own}2`]: new Map([[1, new Set([2])]]) }],
  token: new Token(1),
  bytes: new Uint8Array(100).fill(7),
  resizable: new ArrayBuffer(3, { maxByteLength: 9 }),
  error: new RangeError('r'),
  holes: Object.assign(new Array(3), { 1: 1 }),
})
/** Without the stack, whose text tells where the error was made. */
const comparable = (x: any) => ({ ...x, error: x.error.message })

describe('room', () => {
  it('of any length is used as far as it goes, and then private bytes, with the same result', () => {
    const link = new Direction()
    const value = mixed('room')
    const expected = comparable(value)
    // The lists of its keys get their numbers.
    for (let i = 0; i < 3; i++) link.cross(value)
    const { length } = link.encode(value)!
    let inArena = 0
    for (let room = 0; room <= length + 40; room++) {
      u8.fill(0x5a, space + room, space + room + 64)
      const given = encodeInto(value, space, space + room, 1 << 16, { shapes: link.sent })!
      expect(u8.subarray(space + room, space + room + 64).every((byte) => byte === 0x5a)).toBe(true)
      if (typeof given === 'number') inArena++
      else expect(given.length).toBeLessThan(length + 64)
      const bytes = typeof given === 'number' ? u8.slice(space, given) : given
      expect(comparable(link.decode(bytes))).toStrictEqual(expected)
    }
    expect(inArena).toBeGreaterThan(0)
  })

  it('that is too little for private bytes too ends the encoding, lets go of everything and unlearns its keys', () => {
    const whole = new Direction().encode(mixed('whole'), 0)!.length
    const link = new Direction()
    let refusals = 0
    for (let most = 0; most < whole + 3; most++) {
      released.length = 0
      const known = link.sent.count
      const bytes = link.encode(mixed(`most${most}`), most >> 1, most)
      if (bytes) {
        expect(bytes.length).toBeLessThanOrEqual(most)
        expect(comparable(link.decode(bytes))).toMatchObject({ number: 1 })
        expect(released).toEqual([])
      } else {
        refusals++
        expect(link.sent.count).toBe(known)
        expect([[], [1]]).toContainEqual(released)
      }
      expect(link.cross([{ after: most }])).toEqual([{ after: most }])
    }
    expect(refusals).toBeGreaterThan(whole - 40)
    expect(refusals).toBeLessThanOrEqual(whole)
  })

  it('too small for something large costs no copy of it', () => {
    released.length = 0
    expect(direction.encode([new Token(5), new Uint8Array(1 << 20)], 100, 1 << 14)).toBeUndefined()
    expect(direction.encode([new Token(6), 'x'.repeat(1 << 20)], 100, 1 << 14)).toBeUndefined()
    expect(direction.encode([new Token(7), 'é'.repeat(1 << 20)], 100, 1 << 14)).toBeUndefined()
    expect(released).toEqual([5, 6, 7])
  })

  it('may be exceeded inside of an error, which goes on without what it can’t send, but not without this', () => {
    const error = Object.assign(new Error('large'), { large: 'x'.repeat(5000) })
    expect(direction.encode([error], 64, 2000)).toBeUndefined()
    expect((direction.decode(direction.encode([error], 64, 9000)!) as any)[0].large.length).toBe(5000)
  })
})

describe('an encoding that leaves its place', () => {
  /** Calls back when it is encoded. */
  const reading = (then: () => void, value: unknown = 1) => ({
    get member() {
      then()
      return value
    },
  })

  it('at any point gives the same bytes, privately', () => {
    const link = new Direction()
    const parts = Object.values(mixed('evicted') as object)
    const make = (at: number, then: () => void) => [...parts.slice(0, at), reading(then), ...parts.slice(at)]
    for (let at = 0; at <= parts.length; at++) {
      const expected = make(at, () => {})
      const place =
        parts.findIndex((x) => x instanceof Error) + (parts.findIndex((x) => x instanceof Error) >= at ? 1 : 0)
      const bytes = encodeInto(
        make(at, () => {
          evictEncoding(space + 8)
          evictEncoding(space)
          u8.fill(0xff, space, space + SPACE)
        }),
        space,
        space + SPACE,
        1 << 16,
        { shapes: link.sent },
      )
      expect(bytes).toBeInstanceOf(Uint8Array)
      const arrived = link.decode(bytes as Uint8Array) as any[]
      expect(arrived[place].message).toBe('r')
      arrived[place] = expected[place]
      expect(arrived).toStrictEqual(
        expected.map((x) => (x && typeof x === 'object' && 'member' in x ? { member: 1 } : x)),
      )
    }
  })

  /** Lists of keys that this thread has met more than once get a number at once. */
  const meet = (...xs: object[]) => direction.cross([...xs, ...xs.map((x) => ({ ...x }))])

  it('lets another take that place, which is decoded first: neither refers to keys of the other that come later', () => {
    const link = new Direction()
    meet({ common: 1, of: 1 }, { inner: 1 }, { member: 1 })
    const arriving: Uint8Array[] = []
    const send = (x: unknown) => {
      evictEncoding(space)
      const given = encodeInto(x, space, space + SPACE, 1 << 16, { shapes: link.sent })!
      arriving.push(typeof given === 'number' ? u8.slice(space, given) : given)
    }
    const inner = [{ common: 1, of: 'both' }, { inner: { common: 2, of: 'both' } }]
    const innermost = { common: 3, of: 'both' }
    const outer = [
      { common: 0, of: 'both' },
      reading(() => send([...inner, reading(() => send(innermost))]), { common: 4, of: 'both' }),
      { inner: { common: 5, of: 'both' } },
      { common: 6, of: 'both' },
    ]
    for (let round = 0; round < 3; round++) {
      arriving.length = 0
      send(outer)
      expect(arriving.map((bytes) => link.decode(bytes))).toEqual([
        innermost,
        [...inner, { member: 1 }],
        [outer[0], { member: { common: 4, of: 'both' } }, outer[2], outer[3]],
      ])
    }
  })

  it('and fails has sent no keys, and those of others within it stay', () => {
    const link = new Direction()
    const arriving: Uint8Array[] = []
    const send = (x: unknown, most = 1 << 16) => {
      evictEncoding(space)
      const given = encodeInto(x, space, space + SPACE, most, { shapes: link.sent })
      if (given !== undefined) arriving.push(typeof given === 'number' ? u8.slice(space, given) : given)
    }
    meet({ first: 1, shape: 1 }, { second: 1 }, { third: 1 }, { member: 1 })
    released.length = 0
    const failing = (end: unknown) => [
      { first: 1, shape: new Token(8) },
      reading(() => send([{ first: 2, shape: 0 }, { second: { first: 3, shape: 0 } }])),
      { third: 4 },
      end,
    ]
    expect(() => send(failing(Symbol('s')))).toThrow(NotMarshalableError)
    send(failing('x'.repeat(5000)), 1000)
    send([{ first: 5, shape: 0 }, { second: 6 }, { third: 7 }, { member: 8 }])
    expect(released).toEqual([8, 8])
    // The first one was read again for the place of what can't cross.
    expect(arriving.map((bytes) => link.decode(bytes))).toEqual([
      [{ first: 2, shape: 0 }, { second: { first: 3, shape: 0 } }],
      [{ first: 2, shape: 0 }, { second: { first: 3, shape: 0 } }],
      [{ first: 2, shape: 0 }, { second: { first: 3, shape: 0 } }],
      [{ first: 5, shape: 0 }, { second: 6 }, { third: 7 }, { member: 8 }],
    ])
    expect(link.sent.count).toBe(4)
  })

  it('is that of a codec, or of a marshaler, as well', () => {
    const link = new Direction()
    const arriving: Uint8Array[] = []
    const send = (x: unknown) => {
      evictEncoding(space)
      const given = encodeInto(x, space, space + SPACE, 1 << 16, { shapes: link.sent })!
      arriving.push(typeof given === 'number' ? u8.slice(space, given) : given)
    }
    class Chatty {
      constructor(readonly word: string) {}
    }
    registerCodec(Chatty, {
      name: 'Chatty',
      encode({ word }) {
        send([{ said: word }])
        return { said: word, nested: direction.cross({ said: word }) }
      },
      decode: ({ said, nested }) => {
        expect(nested).toEqual({ said })
        return new Chatty(direction.cross([said])[0]!)
      },
    })
    send([{ said: 'before' }, new Chatty('hello'), { said: 'after' }])
    expect(arriving.map((bytes) => link.decode(bytes))).toEqual([
      [{ said: 'hello' }],
      [{ said: 'before' }, new Chatty('hello'), { said: 'after' }],
    ])
  })

  it('or stays while the arena grows, and views are made anew', () => {
    const link = new Direction()
    const blocks: number[] = []
    const before = u8
    const grow = () => {
      const bytes = u8.length
      blocks.push(allocate(bytes))
    }
    const value = (then: () => void) => [
      { text: 'x'.repeat(50) },
      reading(then),
      0.5,
      'y'.repeat(50),
      { bytes: new Uint8Array(9) },
    ]
    const given = encodeInto(value(grow), space, space + SPACE, 0, { shapes: link.sent })
    expect(u8).not.toBe(before)
    expect(typeof given).toBe('number')
    const bytes = u8.slice(space, given as number)
    expect(link.decode(bytes)).toStrictEqual(structuredClone(value(() => {})))
    // In the middle of decoding, too.
    class Growing {}
    Object.defineProperty(Growing.prototype, MARSHALER, { value: { kind: 'growing', marshal: () => 1 } })
    registerMarshaler({
      kind: 'growing',
      model: undefined,
      marshal: () => 1,
      unmarshal() {
        grow()
        return new Growing()
      },
    })
    expect(link.cross(['a', new Growing(), 'b', 0.25, 'c'.repeat(99)])).toEqual([
      'a',
      new Growing(),
      'b',
      0.25,
      'c'.repeat(99),
    ])
    for (const [i, block] of blocks.entries()) free(block, before.length << i)
  })
})

describe('references', () => {
  it('are let go when a later part cannot cross, when decoding fails, and when nobody decodes', () => {
    released.length = 0
    expect(() => direction.encode([new Token(1), { x: Symbol('s') }])).toThrow(NotMarshalableError)
    expect(released).toEqual([1])
    const bytes = direction.encode([new Token(2), new Token(3)])!
    refuseTokens = true
    try {
      expect(() => direction.decode(bytes)).toThrow('no more tokens')
      expect(released).toEqual([1, 3])
    } finally {
      refuseTokens = false
    }
    direction.release(direction.encode({ a: new Token(6), b: [new Token(7)] })!)
    expect(released).toEqual([1, 3, 6, 7])
  })

  it('cross with the thread that sent them, as one where they were one', () => {
    const token = new Token(7)
    const [first, second] = direction.cross([token, { token }] as const)
    expect(first).toEqual(token)
    expect(second.token).toBe(first)
  })

  it('find the transfer list that the sender gave, and are refused where they put something there', () => {
    const transferList: unknown[] = []
    let put = false
    class Ported {}
    Object.defineProperty(Ported.prototype, MARSHALER, {
      value: {
        kind: 'link-ported',
        marshal(_: Ported, context: { transferList: unknown[] }) {
          expect(context.transferList).toBe(transferList)
          if (put) transferList.push('port')
          return 1
        },
        release: () => released.push(-1),
      },
    })
    const options = { transferList: transferList as any[] }
    expect(direction.encode(new Ported(), SPACE, 0, options)!.length).toBeGreaterThan(0)
    put = true
    released.length = 0
    expect(() => direction.encode([new Ported()], SPACE, 0, options)).toThrow(
      /"link-ported", which needs a message port.* at 0\./,
    )
    expect(released).toEqual([-1])
    expect(transferList).toEqual([])
  })
})

describe('keys of a value that is not decoded', () => {
  it('are known all the same: of one that is let go', () => {
    const link = new Direction()
    link.release(link.encode([{ some: 1, keys: { nested: [] } }])!)
    expect(link.cross([{ some: 2, keys: { nested: [3] } }])).toEqual([{ some: 2, keys: { nested: [3] } }])
  })

  it('of one that fails, at any point, whatever follows', () => {
    const link = new Direction()
    const parts = Object.values(mixed('failing') as object)
    refuseTokens = true
    try {
      for (let i = 0; i < parts.length; i++) {
        const keyed = (x: unknown) => [new Token(0), ...parts.slice(0, i), { [`failing${i}`]: x }, ...parts.slice(i)]
        expect(() => link.decode(link.encode(keyed(1))!)).toThrow('no more tokens')
        expect(link.cross([{ [`failing${i}`]: 2 }])).toEqual([{ [`failing${i}`]: 2 }])
      }
    } finally {
      refuseTokens = false
    }
  })

  it('of one that is nested too deeply for the receiver’s stack, but not for the sender’s', () => {
    const link = new Direction()
    const depth = 200
    const nested = link.encode(Array.from({ length: depth }).reduce<unknown>((x) => [x], { deep: 1 }))!
    // As many levels more as no stack has.
    const bytes = new Uint8Array(nested.length + 1_000_000).fill(nested[0]!)
    bytes.set(nested, 1_000_000)
    expect(() => link.decode(bytes)).toThrow(/too deeply for its stack/)
    expect(link.cross({ deep: 2 })).toEqual({ deep: 2 })
  })
})

describe('errors', () => {
  class OverdrawnError extends Error {
    override name = 'OverdrawnError'
    constructor(readonly missing: number) {
      super(`${missing} missing`)
    }
  }
  registerError(OverdrawnError)

  it('keep class, message, cause and own fields', () => {
    const error = new OverdrawnError(5)
    error.cause = new TypeError('below')
    for (let i = 0; i < 2; i++) {
      const arrived = direction.cross({ error, again: error })
      expect(arrived.error).toBeInstanceOf(OverdrawnError)
      expect(arrived.again).toBe(arrived.error)
      expect(arrived.error).toMatchObject({ name: 'OverdrawnError', message: '5 missing', missing: 5 })
      expect(arrived.error.cause).toBeInstanceOf(TypeError)
    }
  })
})

describe('what has no bytes is refused, with its place:', () => {
  for (const [value, what] of refused) {
    it(String(what), () => {
      expect(() => direction.encode(value)).toThrow(NotMarshalableError)
      expect(() => direction.encode(value)).toThrow(what)
      expect(() => direction.encode([value], SPACE, 0, { list: true })).toThrow(/ at 0\./)
      expect(() => direction.encode({ list: [1, { deep: value }] })).toThrow(/ at list\.1\.deep\./)
      expect(() => direction.encode(new Map([['k', [value]]]), 3)).toThrow(/ at k\.0\./)
    })
  }

  it('as deeply nested as the stack is not', () => {
    let value: unknown = 1
    for (let i = 0; i < 200_000; i++) value = [value]
    expect(() => direction.encode(value, SPACE, 1 << 20)).toThrow(/nested too deeply/)
    expect(direction.cross([1])).toEqual([1])
  })

  it('is what a port could carry, also in an error, which would go on without it', () => {
    const error = (own: object) => Object.assign(new Error('carrying'), own)
    released.length = 0
    expect(() => direction.encode([error({ memory: [new Token(1), new SharedArrayBuffer(8)] })])).toThrow(
      /contains a SharedArrayBuffer/,
    )
    expect(released).toEqual([1])
    expect((direction.cross([error({ throwing, kept: 1 })])[0] as any).kept).toBe(1)
    expect(() => direction.encode([Object.setPrototypeOf(new Error('bare'), null)])).toThrow(/an Error at 0\./)
    expect(direction.cross([Object.assign(Object.create(null), { a: 1 })])).toEqual([{ a: 1 }])
  })

  it('is, without a word, what moves', () => {
    const pixels = new Uint8Array(4)
    expect(direction.encode({ pixels: transfer(pixels) })).toBeUndefined()
    const image = { pixels: new Uint8Array(4) }
    expect(direction.encode([transfer(image, [image.pixels.buffer])])).toBeUndefined()
  })

  it('and what a getter throws comes through', () => {
    expect(() => direction.encode([{ good: 1 }, throwing])).toThrow(URIError)
    expect(direction.cross([{ good: 1 }])).toEqual([{ good: 1 }])
  })
})

describe('damaged bytes', () => {
  it('give a value or an error, and always end', () => {
    const whole = new Direction().encode([sample(77), mixed('damaged'), 1.5, 'text'])!
    const list = new Direction().encode([1, 'ab', 0.5, 300, null])!
    const decodeDamaged = (bytes: Uint8Array) => {
      const link = new Direction()
      for (const read of [() => link.decode(bytes), () => link.release(bytes)]) {
        try {
          read()
        } catch (error) {
          expect(error).toBeInstanceOf(FlatshareError)
        }
      }
    }
    for (const bytes of [whole, list]) {
      for (let length = 0; length < bytes.length; length += 1 + (length >> 6)) {
        expect(() => new Direction().decode(bytes.subarray(0, length))).toThrow(FlatshareError)
      }
      const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      fc.assert(
        fc.property(changes, (list) => {
          const changed = bytes.slice()
          for (const [at, byte] of list) changed[at] = byte
          decodeDamaged(changed)
        }),
        { numRuns: 1000 },
      )
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodeDamaged), { numRuns: 1000 })
  })

  it('that refer to keys which have not come are told', () => {
    const link = new Direction()
    const first = link.encode([{ a: 1 }])!
    const second = link.encode([{ a: 2 }])!
    expect(() => link.decode(second)).toThrow(/keys of what has not come/)
    link.decode(first)
    expect(link.decode(second)).toEqual([{ a: 2 }])
  })
})

// Late: from here on this thread has no room for more lists that it keeps.
describe('more different lists of keys than have numbers', () => {
  it('are sent each time', () => {
    const link = new Direction()
    let short = 0
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5000; i++) {
        const value = { [`k${i}`]: i, b: [{ [`k${i}`]: 0, b: 1 }] }
        const bytes = link.encode(value)!
        expect(link.decode(bytes)).toEqual(value)
        if (round === 1 && bytes.length < 20) short++
      }
    }
    expect(short).toBe(link.sent.count)
    expect(short).toBeGreaterThan(2000)
    expect(short).toBeLessThanOrEqual(4096)
  })
})

describe('two threads', () => {
  it('send each other values, in place, for as long as they like', async () => {
    const ROOM = 1 << 16
    const cell = allocate(16 + 2 * ROOM)
    reach(cell + 16 + 2 * ROOM)
    const word = cell >> 2
    const rounds = 300
    const [workerData, transferList] = marshal({ cell, room: ROOM, rounds })
    i32[word] = 2
    const worker = new Worker(new URL('./threads/link-coding.js', import.meta.url), { workerData, transferList })
    const ended = once(worker, 'exit')
    const mine = cell + 16
    const theirs = mine + ROOM
    const link = new Direction()
    let differed = 0
    for (let round = 0; round < rounds; round++) {
      const given = encodeInto(sample(round), mine, mine + ROOM, 0, { shapes: link.sent })
      i32[word + 1] = given as number
      Atomics.store(i32, word, 1)
      Atomics.notify(i32, word)
      // At first the thread still starts, which needs this one's event loop.
      while (round === 0 && Atomics.load(i32, word) === 1) await new Promise(setImmediate)
      while (Atomics.load(i32, word) === 1) expect(Atomics.wait(i32, word, 1, 20_000)).not.toBe('timed-out')
      const arrived = decodeFromArena(theirs, i32[word + 1]!, { from: FROM, shapes: link.received })
      if (!isDeepStrictEqual(arrived, sample(round + 1000))) differed++
    }
    expect(differed).toBe(0)
    expect(i32[word + 2]).toBe(0)
    expect(await ended).toEqual([0])
    free(cell, 16 + 2 * ROOM)
  })
})
