import { type Apartment, blocking, type Remote } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_RECORD } from '../../dist/ring.js'
import { fault, type PayloadKind, payload } from '../threads/journal.js'
import type { Counter } from '../threads/loaded.js'
import { RING_BYTES } from './arena.js'
import type { Opener } from './opener.js'

type Loaded = typeof import('../threads/loaded.js')

const loaded = new URL('../threads/loaded.js', import.meta.url)

/** From so much before to so much behind, in steps. */
const around = (edge: number, before: number, behind: number, step: number) =>
  Array.from({ length: Math.ceil((before + behind + 1) / step) }, (_, i) => edge - before + i * step)

/** Bytes a character, or an element: the edges are of bytes. */
const widths = { bytes: 1, moved: 1, ascii: 1, latin1: 1, utf16: 2, object: 1 } as const

export function sizes(open: Opener): void {
  let apartment: Apartment<Loaded>
  let counter: Remote<Counter>

  beforeAll(async () => {
    apartment = await open<Loaded>(loaded)
    counter = await apartment.create('Counter')
  })
  afterAll(() => apartment.close())

  /** Sends it there and back; gives what is wrong. */
  async function sent(kind: PayloadKind, size: number): Promise<string | undefined> {
    const wrong = fault(kind, size, size, await counter.echo(payload(kind, size, size)))
    return wrong && `${kind} of ${size}: ${wrong}`
  }
  async function faults(kind: PayloadKind, every: readonly number[]): Promise<string[]> {
    const wrong: string[] = []
    for (let at = 0; at < every.length; at += 16) {
      const some = await Promise.all(every.slice(at, at + 16).map((size) => sent(kind, size)))
      wrong.push(...some.filter((each) => each !== undefined))
    }
    return wrong
  }

  describe('S15 arguments and results of any size arrive whole', () => {
    it.each(['bytes', 'ascii', 'latin1', 'utf16', 'object'] as const)('%s about the size of a record', async (kind) => {
      const every = around(Math.floor(MAX_RECORD / widths[kind]), 160, 16, 1)
      expect(await faults(kind, every)).toEqual([])
    })

    it.each(['bytes', 'ascii', 'latin1', 'utf16'] as const)('%s about the size of the ring', async (kind) => {
      for (const edge of [RING_BYTES / 2, RING_BYTES]) {
        expect(await faults(kind, around(Math.floor(edge / widths[kind]), 160, 16, 8))).toEqual([])
      }
    })

    it.each(['bytes', 'moved', 'ascii', 'latin1', 'utf16', 'object'] as const)(
      '%s about every power of two',
      async (kind) => {
        const powers = Array.from({ length: 22 }, (_, i) => 2 ** i)
        expect(
          await faults(
            kind,
            powers.flatMap((power) => [power - 1, power, power + 1]),
          ),
        ).toEqual([])
      },
    )

    it('also where the caller blocks', () => {
      for (const kind of ['bytes', 'ascii', 'latin1', 'utf16', 'object'] as const) {
        for (const size of [0, MAX_RECORD - 64, MAX_RECORD, RING_BYTES, 2 ** 20]) {
          expect(fault(kind, size, size, blocking(counter).echo(payload(kind, size, size)))).toBeUndefined()
        }
      }
    })

    it('typed arrays of all kinds, and parts of their buffers', async () => {
      const bytes = Uint8Array.from({ length: 64 }, (_, i) => (i < 8 ? 0 : i))
      const arrays = [
        Int8Array,
        Uint8Array,
        Uint8ClampedArray,
        Int16Array,
        Uint16Array,
        Int32Array,
        Uint32Array,
        Float32Array,
        Float64Array,
        BigInt64Array,
        BigUint64Array,
      ].map((Type) => new Type(bytes.buffer.slice(0)))
      const parts = [new Uint16Array(bytes.buffer, 6, 3), new DataView(bytes.buffer, 5, 7), bytes.subarray(9)]
      expect(await counter.echo(arrays)).toEqual(arrays)
      const back = (await counter.echo(parts)) as typeof parts
      expect(back.map((part) => [...new Uint8Array(part.buffer, part.byteOffset, part.byteLength)])).toEqual(
        parts.map((part) => [...new Uint8Array(part.buffer, part.byteOffset, part.byteLength)]),
      )
      // As structured clone has it: views of one buffer have one there.
      expect(back[1]!.buffer).toBe(back[0]!.buffer)
    })

    it('large bytes, in any way in which they are given, and stay where they are', async () => {
      const buffer = Uint8Array.from({ length: 200_000 }, (_, i) => i * 7).buffer
      const whole = new Uint8Array(buffer)
      const every = [
        buffer,
        whole.subarray(100, 150_000),
        new DataView(buffer, 7, 99_999),
        new Float32Array(buffer, 8, 4_000),
        // To another process goes its own part alone.
        ...(open.sharesMemory ? [Buffer.from(buffer, 3, 100_000)] : []),
        new BigInt64Array(buffer),
        new Uint8Array(8),
      ]
      const bytesOf = (x: ArrayBuffer | ArrayBufferView) =>
        ArrayBuffer.isView(x) ? Buffer.from(x.buffer, x.byteOffset, x.byteLength) : Buffer.from(x)
      const asCloned = (arrived: unknown[], given: unknown[]) => {
        const clones = structuredClone(given)
        const bufferOf = (x: unknown) => (ArrayBuffer.isView(x) ? x.buffer : x)
        for (const [i, clone] of clones.entries()) {
          const x = arrived[i]
          expect(Object.prototype.toString.call(x)).toBe(Object.prototype.toString.call(clone))
          if (typeof clone !== 'object') expect(x).toBe(clone)
          else expect(bytesOf(x as ArrayBuffer).equals(bytesOf(clone as ArrayBuffer))).toBe(true)
          // Views of one buffer have one there.
          expect(arrived.findIndex((other) => bufferOf(other) === bufferOf(x))).toBe(
            clones.findIndex((other) => bufferOf(other) === bufferOf(clone)),
          )
        }
      }
      for (const x of every) asCloned([await counter.echo(x)], [x])
      asCloned(await counter.echoAll(...every, 'text', 1), [...every, 'text', 1])
      // One buffer, openly and inside of something.
      const [openly, inside] = await counter.echoAll(whole, { whole })
      asCloned([openly, inside.whole], [whole, whole])
      for (const x of every) asCloned([blocking(counter).echo(x)], [x])
      expect(buffer.byteLength).toBe(200_000)
      expect(whole.every((byte, i) => byte === ((i * 7) & 255))).toBe(true)
    })

    it('deep ones', async () => {
      for (const depth of [10, 100, 400]) {
        let deep: unknown = 'bottom'
        for (let i = 0; i < depth; i++) deep = i % 2 ? [deep, i] : { i, deep }
        expect(await counter.echo(deep)).toEqual(deep)
      }
    })

    it('wide ones', async () => {
      for (const width of [100, 1000, 10_000]) {
        const object = Object.fromEntries(Array.from({ length: width }, (_, i) => [`key ${i}`, i]))
        const array = Array.from({ length: width }, (_, i) => (i % 3 ? i : { i }))
        expect(await counter.echo({ object, array })).toEqual({ object, array })
      }
    })

    it('every number, and texts of every character', async () => {
      const numbers = [0, -0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 53, 0.1]
      numbers.push(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE, Number.MAX_VALUE)
      const bigs = [0n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 64n + 1n, -(2n ** 1000n)]
      expect(await counter.echo([...numbers, ...bigs])).toEqual([...numbers, ...bigs])
      for (const text of ['', '\0', '\x7f\x80\xff', '\u0100', '\ud800', '\udc00x', '😀', `${'a'.repeat(300)}😀`]) {
        expect(await counter.echo({ [text]: text })).toEqual({ [text]: text })
      }
    })
  })
}
