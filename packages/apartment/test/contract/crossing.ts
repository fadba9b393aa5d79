import { type Apartment, type Remote, transfer } from '@flatshare/apartment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Carrier } from '../threads/carrying.js'
import { type Carrying, carryingUrl, type Opener } from './opener.js'

const collect = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

export function crossing(open: Opener): void {
  let apartment: Apartment<Carrying>
  let carrier: Remote<Carrier>

  beforeAll(async () => {
    apartment = await open<Carrying>(carryingUrl, { name: 'carrier' })
    carrier = await apartment.create('Carrier')
  })
  afterAll(() => apartment.close())

  describe('iterables', () => {
    it('that a method gives arrive whole, with and without await', async () => {
      expect(await collect(carrier.count(100))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
      // eslint-disable-next-line @typescript-eslint/await-thenable -- it may be awaited as well
      expect(await collect(await carrier.count(3))).toEqual([1, 2, 3])
      expect(await collect(carrier.letters())).toEqual(['a', 'b', 'c'])
    })

    it('end at home when they are left early', async () => {
      for await (const i of carrier.count()) if (i === 3) break
      expect(await carrier.howItEnded()).toBe('ended')
    })

    it('throw what their generator throws, after what it gave', async () => {
      const got: number[] = []
      const reading = (async () => {
        for await (const i of carrier.failing()) got.push(i)
      })()
      await expect(reading).rejects.toThrow(new RangeError('no more'))
      expect(got).toEqual([1])
    })

    it('that are given as arguments are read from there, and end here when they are left', async () => {
      let state = 'running'
      async function* values() {
        try {
          for (let i = 1; ; i++) yield i
        } finally {
          state = 'ended'
        }
      }
      expect(await carrier.sum(values(), 4)).toBe(10)
      expect(state).toBe('ended')
    })

    it('that a method gives can be given to another at once', async () => {
      expect(await carrier.sum(carrier.count(4))).toBe(10)
    })

    it('come back home as themselves or as an iterable of the same', async () => {
      async function* values() {
        yield 1
        yield 2
      }
      const back = await carrier.echo({ deep: [values()] })
      expect(await collect(back.deep[0]!)).toEqual([1, 2])
    })

    it('end with their thread', async () => {
      const doomed = await open<Carrying>(carryingUrl, { name: 'doomed' })
      const values = (await doomed.create('Carrier')).count()
      expect((await values.next()).value).toBe(1)
      await doomed.terminate()
      const rest = collect({ [Symbol.asyncIterator]: () => values })
      await expect(rest).rejects.toMatchObject({ name: 'DisconnectedError' })
    })
  })

  describe('streams', () => {
    it('are read from here, to their end', async () => {
      expect(await collect((await carrier.readable(50)) as never)).toHaveLength(50)
    })

    it('are cancelled at home when their reader here cancels', async () => {
      const reader = (await carrier.readable(Number.POSITIVE_INFINITY)).getReader()
      expect((await reader.read()).value).toBe(1)
      await reader.cancel('enough')
      expect(await carrier.howItEnded()).toBe('cancelled: enough')
    })

    it('are written from here', async () => {
      const writer = (await carrier.writable()).getWriter()
      for (const chunk of ['a', { b: 1 }]) await writer.write(chunk)
      await writer.close()
      expect(await carrier.collected()).toEqual(['a', { b: 1 }])
    })

    it('that are given as arguments are read from there', async () => {
      const stream = new ReadableStream<number>({
        start(controller) {
          for (let i = 1; i <= 10; i++) controller.enqueue(i)
          controller.close()
        },
      })
      expect(await carrier.sum(stream as never)).toBe(55)
    })
  })

  it.runIf(open.sharesMemory)('an object of the platform stays what it is, beside a reference too', async () => {
    const blob = new Blob(['text'])
    expect(await (await carrier.echo(blob)).text()).toBe('text')
    const both = await carrier.echo({ blob, all: [blob], fn: () => 5 })
    expect(await both.blob.text()).toBe('text')
    expect(both.all[0]).toBe(both.blob)
  })

  describe('what is transferred', () => {
    it('is moved, at any depth, both ways', async () => {
      const buffer = new ArrayBuffer(8)
      expect(await carrier.lengthOf({ deep: [transfer(buffer, [buffer])] })).toBe(8)
      expect(buffer.byteLength).toBe(0)
      expect((await carrier.made(4)).deep).toEqual(new Uint8Array([1, 1, 1, 1]))
    })

    it('can be a message port, which still works', async () => {
      const { port1, port2 } = new MessageChannel()
      const back = await carrier.echo({ port: transfer(port2, [port2]) }).catch((error: unknown) => error)
      // It went there as a move, and comes back only where it is moved again.
      expect(back).toMatchObject({ name: 'NotMarshalableError' })
      port1.close()
    })
  })
}
