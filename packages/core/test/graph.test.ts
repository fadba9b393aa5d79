import { marshal, registerError, unmarshal } from '@flatshare/core'
import { MARSHALER, type Marshaler, packGraph, registerMarshaler, unpackGraph } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

class Token {
  constructor(readonly number: number) {}
}
const released: number[] = []
const tokens: Marshaler<Token, number> = {
  kind: 'test-token',
  model: 'free',
  marshal: (token) => token.number,
  unmarshal: (number) => new Token(number),
  release: (number) => released.push(number),
}
Object.defineProperty(Token.prototype, MARSHALER, { value: tokens })
registerMarshaler(tokens)

/** As if it had been to another thread and back. */
function cross<T>(value: T): T {
  const graph = structuredClone(packGraph(value, { transferList: [] }))
  return unpackGraph(graph, { from: 1 }) as T
}

describe('S7 references inside values', () => {
  it('leave NaN beside them as it is, also where it is frozen on arrival', () => {
    const lists: Marshaler<Frozen, unknown> = {
      kind: 'test-frozen',
      model: 'free',
      marshal: ({ list }, context) => context.pack(list),
      unmarshal: (list) => Object.freeze(list) as never,
    }
    class Frozen {
      constructor(readonly list: unknown[]) {}
    }
    Object.defineProperty(Frozen.prototype, MARSHALER, { value: lists })
    registerMarshaler(lists)
    expect(cross(new Frozen([NaN, new Token(1)]))).toEqual([NaN, new Token(1)])
  })

  it('are found in maps whose keys have no text, and nobody asks them for it', () => {
    const keys = [
      Object.create(null) as object,
      { toString: 1, valueOf: 2 },
      {
        [Symbol.toPrimitive]: null,
        get text() {
          return 'x'
        },
      },
    ]
    const arrived = cross(new Map(keys.map((key, i) => [key, new Token(i)])))
    expect([...arrived.values()].map(({ number }) => number)).toEqual([0, 1, 2])
    expect(() => cross(new Map([[keys[1], Symbol('s')]]))).toThrow(/a symbol at value/)
  })

  it('are found at any depth, and everything around them is kept', () => {
    const token = new Token(7)
    const value = {
      plain: 1,
      list: Object.assign(new Array<unknown>(3), {
        0: token,
        2: {
          deep: new Map<unknown, unknown>([
            ['k', new Set([token])],
            [token, 'as a key'],
          ]),
        },
      }),
      date: new Date(5),
      bytes: new Uint8Array([1, 2]),
      nothing: undefined,
    }
    const arrived = cross(value)
    const [found, , { deep }] = arrived.list as unknown as [Token, undefined, { deep: Map<unknown, unknown> }]
    expect(found).toBeInstanceOf(Token)
    expect(found.number).toBe(7)
    expect(1 in arrived.list).toBe(false)
    expect([...(deep.get('k') as Set<Token>)]).toEqual([found])
    expect(deep.get(found)).toBe('as a key')
    expect(arrived.date).toEqual(new Date(5))
    expect(arrived.bytes).toEqual(new Uint8Array([1, 2]))
    expect('nothing' in arrived).toBe(true)
    expect(value.list[0]).toBe(token)
  })

  it('arrive as one object where they were one', () => {
    const token = new Token(1)
    const [a, b] = cross([token, { token }]) as [Token, { token: Token }]
    expect(b.token).toBe(a)
  })

  it('leave cycles and shared parts as they were', () => {
    const shared = { token: new Token(2) }
    const value: any = { a: shared, b: shared }
    value.self = value
    const arrived = cross(value)
    expect(arrived.self).toBe(arrived)
    expect(arrived.a).toBe(arrived.b)
    expect(arrived.a.token).toBeInstanceOf(Token)
  })

  it('cannot be forged by data: a value that looks packed is data', () => {
    const forged = { value: {}, refs: [[{}, 'test-token', 5]] }
    expect(cross({ forged, real: new Token(1) }).forged).toEqual(forged)
  })

  it('do not let a key named __proto__ become a prototype', () => {
    const value = JSON.parse('{"__proto__": {"polluted": true}, "inner": {"__proto__": 1}}')
    const arrived = cross({ value, token: new Token(1) })
    expect(Object.getPrototypeOf(arrived.value)).toBe(Object.prototype)
    expect(Object.hasOwn(arrived.value, '__proto__')).toBe(true)
    expect(({} as any).polluted).toBeUndefined()
  })

  it('let go of what was packed when a later part cannot cross', () => {
    expect(() => packGraph([new Token(41), new Token(42), Symbol('no')], { transferList: [] })).toThrow()
    expect(released).toEqual([41, 42])
  })

  it('are let go when a packet is given up', () => {
    released.length = 0
    const [packet] = marshal({ a: new Token(8) })
    packet[Symbol.dispose]()
    expect(released).toEqual([8])
    expect(() => unmarshal(packet)).toThrow(/spent/)
  })

  it('cost nothing where there are none: the value itself is sent', () => {
    const value = { a: [1, { b: 2 }] }
    expect(packGraph(value, { transferList: [] }).value).toBe(value)
  })

  it('of an undecorated class cross as structured clone copies it', () => {
    class Point {
      constructor(readonly x: number) {}
    }
    expect(cross({ point: new Point(3), token: new Token(1) }).point).toEqual({ x: 3 })
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

  it('keep message, name, cause, own fields and the stack with its thread', () => {
    const arrived = cross(new OverdrawnError(5, new Token(9)))
    expect(arrived).toBeInstanceOf(Error)
    expect(arrived).toMatchObject({ name: 'OverdrawnError', message: '5 missing', missing: 5, by: { number: 9 } })
    expect(arrived.stack).toMatch(/graph\.test.*on the thread "main"/s)
  })

  it('keep their class where it is known, without running its constructor', () => {
    registerError(OverdrawnError)
    const arrived = cross(new OverdrawnError(5, new Token(9)))
    expect(arrived).toBeInstanceOf(OverdrawnError)
    expect(arrived.missing).toBe(5)
  })

  it('keep the nearest known class where theirs is not', () => {
    class Unheard extends TypeError {}
    expect(cross(new Unheard('x'))).toBeInstanceOf(TypeError)
  })

  it('are registered by classes of errors only', () => {
    for (const none of [5, null, class {}, { Name: 5 }]) expect(() => registerError(none as never)).toThrow(TypeError)
  })

  it('of the platform arrive as such', () => {
    const abort = cross(new DOMException('stopped', 'AbortError'))
    expect(abort).toBeInstanceOf(DOMException)
    expect(abort.name).toBe('AbortError')
    const all = cross(new AggregateError([new RangeError('a'), 'b'], 'both'))
    expect(all).toBeInstanceOf(AggregateError)
    expect(all.errors[0]).toBeInstanceOf(RangeError)
    expect(all.errors[1]).toBe('b')
  })

  it('arrive whatever hangs on them', () => {
    const error: any = new Error('carrying')
    error.fn = () => 1
    error.symbol = Symbol('s')
    error.cause = error
    error.kept = 'kept'
    expect(cross(error)).toMatchObject({ message: 'carrying', kept: 'kept', fn: undefined, cause: undefined })
  })
})

describe('a reference whose package is not imported', () => {
  it.each([
    ['free', '@flatshare/free-threaded'],
    ['free, undecorated', '@flatshare/free-threaded'],
    ['mutex', '@flatshare/sync'],
    ['async-mutex mutex', '@flatshare/sync/async-mutex'],
    ['progress', '@flatshare/progress'],
    ['reference', '@flatshare/apartment'],
    ['iterable', '@flatshare/apartment'],
    ['progress apart', '@flatshare/progress'],
    ['reference apart', '@flatshare/apartment'],
    ['abort-signal apart', '@flatshare/apartment'],
  ])('names it: %s', (kind, name) => {
    const placeholder = {}
    expect(() => unpackGraph({ value: placeholder, refs: [[placeholder, kind, 1]] }, { from: 0 })).toThrow(
      `kind "${kind}" arrived, but this thread hasn't imported the package that unmarshals it: import '${name}' there`,
    )
  })

  it('of a kind that nobody knows names none', () => {
    const placeholder = {}
    const graph = { value: placeholder, refs: [[placeholder, 'toString', 1] as [object, string, unknown]] }
    expect(() => unpackGraph(graph, { from: 0 })).toThrow(/the package that unmarshals it\.$/)
  })
})

describe('S11 between threads that share no memory', () => {
  const downgrades: Array<[object, readonly string[], boolean]> = []
  const apart = {
    downgraded: (x: object, place: readonly string[], memoryOnly: boolean) =>
      void downgrades.push([x, [...place], memoryOnly]),
  }
  const sent: object[] = []
  const byNumber: Marshaler<object, number> = {
    kind: 'test-reference apart',
    model: 'apartment',
    apart: 'same',
    marshal: (x) => sent.push(x) - 1,
    unmarshal: (number) => sent[number]!,
  }
  const references: Marshaler<object, number> = { ...byNumber, kind: 'reference', apart: byNumber }

  it('a free-threaded object is refused, until there is a way for references; then it goes by one, which is noted', () => {
    const value = { tokens: [new Token(1)] }
    expect(() => packGraph(value, { transferList: [], apart })).toThrow(/it contains a Token at tokens\.0/)
    registerMarshaler(byNumber)
    registerMarshaler(references)
    const { refs } = packGraph(value, { transferList: [], apart })
    expect(refs!.map(([, kind]) => kind)).toEqual(['test-reference apart'])
    expect(downgrades).toEqual([[value.tokens[0], ['tokens', '0'], false]])
    expect(sent).toEqual([value.tokens[0]])
  })

  it('errors and URLs go as they do elsewhere', () => {
    const graph = packGraph([new RangeError('far'), new URL('http://x/y')], { transferList: [], apart })
    const [error, url] = unpackGraph(structuredClone(graph), { from: 1, apart: true }) as [RangeError, URL]
    expect(error).toBeInstanceOf(RangeError)
    expect(url.href).toBe('http://x/y')
  })

  it('what names shared memory is taken from nobody, and none of it let go', () => {
    const placeholder = {}
    const before = released.length
    const refs = [
      [placeholder, 'test-token', 4096],
      [{}, 'test-token', 4097],
    ] as Array<[object, string, unknown]>
    expect(() => unpackGraph({ value: placeholder, refs }, { from: 1, apart: true })).toThrow(
      /of kind "test-token" came from another process/,
    )
    expect(released.length).toBe(before)
  })
})
