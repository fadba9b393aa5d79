import { type Apartment, type Remote, release, transfer } from '@flatshare/apartment'
import { DisconnectedError, NotMarshalableError } from '@flatshare/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Crossing, gate } from '../apartments.js'
import type { Streams } from '../threads/crossing.js'
import { crossingOpener, type Opener } from './opener.js'

async function all<T>(stream: ReadableStream<T>): Promise<T[]> {
  const list: T[] = []
  for await (const x of stream as unknown as AsyncIterable<T>) list.push(x)
  return list
}

function streamOf(chunks: readonly unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

export function streams(open: Opener): void {
  const openCrossing = crossingOpener(open)

  let apartment: Apartment<Crossing>
  let other: Apartment<Crossing>

  beforeAll(async () => {
    ;[apartment, other] = await Promise.all([openCrossing('home'), openCrossing('other')])
  })
  afterAll(() => Promise.all([apartment.close(), other.close()]))

  const fresh = (): Promise<Remote<Streams>> => apartment.create('Streams')

  /** Asks the other thread again and again, so that turns pass there, until it says what is wanted. */
  async function until(look: () => Promise<boolean>): Promise<void> {
    while (!(await look()));
  }

  describe('a readable stream', () => {
    it('as a result is read here, and at home only as far as that', async () => {
      const streams = await fresh()
      const numbers = await streams.numbers(200)
      expect(numbers).toBeInstanceOf(ReadableStream)
      expect((await streams.state()).pulled).toBe(0)
      const reader = numbers.getReader()
      expect(await reader.read()).toEqual({ done: false, value: 1 })
      expect((await streams.state()).pulled).toBeLessThan(4)
      reader.releaseLock()
      expect(await all(numbers)).toEqual(Array.from({ length: 199 }, (_, i) => i + 2))
    })

    it('as an argument is read there', async () => {
      const streams = await fresh()
      const stream = new ReadableStream({
        start(controller) {
          for (const chunk of ['a', { b: 1 }, new Uint8Array([3])]) controller.enqueue(chunk)
          controller.close()
        },
      })
      expect(await streams.collect(stream)).toEqual(['a', { b: 1 }, new Uint8Array([3])])
      expect(stream.locked).toBe(true)
    })

    it('of bytes stays one', async () => {
      const streams = await fresh()
      const reader = (await streams.bytes()).getReader({ mode: 'byob' })
      const read: number[] = []
      for (let view = new Uint8Array(3); ; ) {
        const { done, value } = await reader.read(view)
        if (done) break
        read.push(...value)
        view = new Uint8Array(value.buffer)
      }
      expect(read).toEqual([3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1])
    })

    it('cancelled here is cancelled at home, with the reason, also while it is read', async () => {
      const streams = await fresh()
      const stream = await streams.open()
      const reader = stream.getReader()
      const reading = reader.read()
      await streams.enqueue('x')
      expect(await reading).toEqual({ done: false, value: 'x' })
      const open = reader.read()
      await reader.cancel(new RangeError('enough'))
      expect(await open).toMatchObject({ done: true })
      expect((await streams.state()).reason).toBeInstanceOf(RangeError)
    })

    it('that fails at home fails here, with its error', async () => {
      const streams = await fresh()
      const reading = all(await streams.open())
      await streams.enqueue(1)
      await streams.failReadable()
      await expect(reading).rejects.toThrow(RangeError)
    })

    it('gives each chunk as it was when it was read', async () => {
      const streams = await fresh()
      expect((await all(await streams.rows(40))).map(({ id }) => id)).toEqual(
        Array.from({ length: 40 }, (_, i) => i + 1),
      )
    })

    it('that is locked is refused, naming the place, and one that could not be sent is free again', async () => {
      const streams = await fresh()
      const stream = new ReadableStream()
      const reader = stream.getReader()
      await expect(streams.collect(stream)).rejects.toThrow(
        /Streams\.collect\(\): an argument can't cross.*ReadableStream that is locked/,
      )
      reader.releaseLock()
      await expect(streams.keep({ stream, bad: new WeakMap() })).rejects.toThrow(NotMarshalableError)
      expect(stream.locked).toBe(false)
      await stream.cancel()
    })

    it('that comes home is the original; handed on, it is read at its home', async () => {
      const streams = await fresh()
      const mine = new ReadableStream({
        start(controller) {
          controller.enqueue(1)
          controller.close()
        },
      })
      await streams.keep(mine)
      expect(await streams.back()).toBe(mine)
      expect(mine.locked).toBe(false)
      const far = await other.create('Streams')
      expect(await far.collect(await streams.numbers(3))).toEqual([1, 2, 3])
    })

    it('S13 is cancelled when the thread that reads it ends, and fails when its home does', async () => {
      const doomed = await openCrossing('doomed')
      const there = await doomed.create('Streams')
      const { open, opened } = gate()
      let reason: unknown
      const stream = new ReadableStream({
        cancel(why) {
          reason = why
          open()
        },
      })
      await there.keep(stream)
      const reading = all(await there.open())
      await expect(there.exit()).rejects.toThrow(DisconnectedError)
      await opened
      expect(reason).toBeInstanceOf(DisconnectedError)
      await expect(reading).rejects.toThrow(DisconnectedError)
    })
  })

  describe('a writable stream', () => {
    it('as a result is written here', async () => {
      const streams = await fresh()
      const writer = (await streams.sink()).getWriter()
      for (let i = 0; i < 50; i++) void writer.write({ i })
      await writer.close()
      const { written } = await streams.state()
      expect(written).toEqual([...Array.from({ length: 50 }, (_, i) => ({ i })), 'closed'])
    })

    it('as an argument is written there', async () => {
      const streams = await fresh()
      const written: unknown[] = []
      const stream = new WritableStream({
        write: (chunk) => void written.push(chunk),
        close: () => void written.push('closed'),
      })
      await streams.fill(stream, ['a', 'b'])
      expect(written).toEqual(['a', 'b', 'closed'])
    })

    it.each([
      ['values', 100, (i: number) => i, 0],
      ['references', 50, (i: number) => ({ i, read: () => i }), expect.objectContaining({ i: 0 })],
    ])('holds back who writes %s while the original does not take', async (_, count, chunk, first) => {
      const streams = await fresh()
      const writer = (await streams.sink(true)).getWriter()
      let taken = 0
      const writes = Array.from({ length: count }, (_, i) => writer.write(chunk(i)).then(() => taken++))
      await until(async () => ((await streams.state()).written.length as number) > 0)
      // One is with the original, and as many as wait for it are taken here.
      expect((await streams.state()).written).toEqual([first])
      expect(taken).toBeLessThan(20)
      let closed = false
      const closing = Promise.all(writes)
        .then(() => writer.close())
        .then(() => {
          closed = true
        })
      await until(async () => (await streams.letThrough()) > 0 && closed)
      await closing
      expect((await streams.state()).written).toHaveLength(count + 1)
    })

    it('aborted here is aborted at home, with the reason', async () => {
      const streams = await fresh()
      const writer = (await streams.sink()).getWriter()
      await writer.write(1)
      await writer.abort(new RangeError('enough'))
      expect((await streams.state()).reason).toBeInstanceOf(RangeError)
      await expect(writer.closed).rejects.toThrow('enough')
    })

    it('that fails at home fails here, also while nobody writes', async () => {
      const streams = await fresh()
      const writer = (await streams.sink()).getWriter()
      const closed = writer.closed
      closed.catch(() => {})
      await streams.failWritable()
      await expect(closed).rejects.toThrow('failed on purpose')
    })

    it('fails for a chunk that cannot cross, and aborts the original', async () => {
      const streams = await fresh()
      const writer = (await streams.sink()).getWriter()
      writer.closed.catch(() => {})
      await writer.write(new WeakMap()).catch(() => {})
      await expect(writer.close()).rejects.toThrow()
      await expect(writer.closed).rejects.toThrow(NotMarshalableError)
      await until(async () => (await streams.state()).reason instanceof NotMarshalableError)
    })

    it('takes each chunk as it was when it was written', async () => {
      const streams = await fresh()
      const writer = (await streams.sink()).getWriter()
      const bytes = new Uint8Array(1)
      for (let i = 1; i <= 40; i++) {
        bytes[0] = i
        await writer.write(bytes)
      }
      await writer.close()
      const { written } = await streams.state()
      expect(written).toEqual([...Array.from({ length: 40 }, (_, i) => new Uint8Array([i + 1])), 'closed'])
    })

    it('takes chunks that hold references or move in their order, too', async () => {
      const streams = await fresh()
      const writer = (await streams.sink()).getWriter()
      const row: { id: number; read?: () => number } = { id: 0 }
      const moved: Uint8Array[] = []
      for (let i = 1; i <= 40; i++) {
        row.id = i
        if (i % 3 === 0) row.read = () => i
        else delete row.read
        await writer.write(row)
        if (i % 10 !== 0) continue
        moved.push(transfer(new Uint8Array([i])))
        await writer.write(moved.at(-1))
        expect(moved.at(-1)).toHaveLength(0)
      }
      await writer.close()
      const written = (await streams.state()).written as (typeof row | Uint8Array | 'closed')[]
      const ids = written.map((chunk) => (chunk === 'closed' ? chunk : 'id' in chunk ? chunk.id : `moved ${chunk[0]}`))
      const sent = Array.from({ length: 40 }, (_, i) => (i % 10 === 9 ? [i + 1, `moved ${i + 1}`] : [i + 1])).flat()
      expect(ids).toEqual([...sent, 'closed'])
      const functions = written.filter((chunk) => typeof chunk === 'object' && 'read' in chunk) as { read(): unknown }[]
      expect(await Promise.all(functions.map(({ read }) => read()))).toEqual(
        Array.from({ length: 13 }, (_, i) => 3 * i + 3),
      )
    })

    it.each([
      ['a symbol', Symbol('bad')],
      ['what clones only where it moves', { port: new MessageChannel().port1 }],
    ])('a pipe into it fails at %s, after what came before', async (_, bad) => {
      for (const chunks of [[bad], [1, bad], [1, 2, bad, 3], [1, 2, () => 3, 4, 5, bad]]) {
        const streams = await fresh()
        await expect(streamOf(chunks).pipeTo(await streams.sink())).rejects.toThrow(NotMarshalableError)
        await until(async () => (await streams.state()).reason instanceof NotMarshalableError)
        const { written } = await streams.state()
        expect(written).toHaveLength(chunks.indexOf(bad))
      }
    })

    it('a pipe into it fails with the error of the original, as it would there', async () => {
      const chunks = ['w0', 'w1', 'w2', 'w3', 'w4', 'w5']
      for (const at of chunks) {
        const streams = await fresh()
        const piping = streamOf(chunks).pipeTo(await streams.failingSink(at))
        const error = await piping.catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(RangeError)
        expect((error as Error).message).toBe(`failed at ${at}`)
        expect((await streams.state()).written).toEqual(chunks.slice(0, chunks.indexOf(at)))
      }
    })

    it('closed after the original failed tells why', async () => {
      const streams = await fresh()
      const writer = (await streams.sink()).getWriter()
      writer.closed.catch(() => {})
      const failed = streams.failWritable()
      await expect(writer.close()).rejects.toThrow('failed on purpose')
      await failed
    })

    it('S13 fails when its home ends, and is aborted when the thread that writes it does', async () => {
      const doomed = await openCrossing('doomed')
      const there = await doomed.create('Streams')
      const { open, opened } = gate()
      let reason: unknown
      await there.keep(
        new WritableStream({
          abort(why) {
            reason = why
            open()
          },
        }),
      )
      const writer = (await there.sink()).getWriter()
      const closed = writer.closed
      closed.catch(() => {})
      await doomed.terminate()
      await opened
      expect(reason).toBeInstanceOf(DisconnectedError)
      await expect(closed).rejects.toThrow(DisconnectedError)
    })

    it('that comes home is the original', async () => {
      const streams = await fresh()
      const mine = new WritableStream()
      await streams.keep(mine)
      const back = await streams.back()
      expect(back).toBeInstanceOf(WritableStream)
      release(streams)
    })
  })

  describe('pairs', () => {
    it('arrive as their two ends', async () => {
      const streams = await fresh()
      const numbers = await streams.numbers(4)
      const { readable, writable } = (await streams.double()) as ReadableWritablePair<number, number>
      expect(await all(numbers.pipeThrough({ readable, writable }))).toEqual([2, 4, 6, 8])
    })

    it('of the platform, too', async () => {
      const streams = await fresh()
      const text = new TextEncoderStream()
      await streams.keep(text)
      const { readable, writable } = (await streams.back()) as ReadableWritablePair<Uint8Array, string>
      const writer = writable.getWriter()
      void writer.write('ä')
      void writer.close()
      expect(await all(readable)).toEqual([new Uint8Array([0xc3, 0xa4])])
    })
  })
}
