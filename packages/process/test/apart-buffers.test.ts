import { serve } from '@flatshare/apartment'
import { afterEach, describe, expect, it } from 'vitest'
import { ArrivedBuffers, frameOfBuffer, headFor, largeBuffersOf } from '../dist/apart-buffers.js'
import { type Linked, linked } from './linked.js'

let sent: unknown[] = []

const api = {
  echo: (x: unknown) => x,
  inOne: (...args: unknown[]) => args,
  note: (x: unknown) => void sent.push(x),
}
serve(api)

const ends: Linked[] = []
afterEach(() => {
  for (const { near } of ends.splice(0)) near.end()
  sent = []
})

async function open(maxFrame = 1 << 22): Promise<Linked> {
  const end = await linked({ maxFrame })
  ends.push(end)
  return end
}

const large = (length = 100_000) => new Uint8Array(length).map((_, index) => index + 7)

describe('large buffers', () => {
  it('arrive as they were when they were sent, and with them what comes before and after', async () => {
    const { remote } = await open()
    const bytes = large()
    const calls = [remote.note(1), remote.note(bytes), remote.note({ after: 2 }), remote.note(3)]
    bytes.fill(0)
    await Promise.all(calls)
    expect(sent).toEqual([1, large(), { after: 2 }, 3])
    const [, arrived] = sent as [number, Uint8Array]
    expect(arrived.byteOffset).toBe(0)
    expect(arrived.buffer.byteLength).toBe(100_000)
    // It is the receiver's, as any: it can be moved on.
    expect(structuredClone(arrived, { transfer: [arrived.buffer as ArrayBuffer] })).toEqual(large())
    expect(arrived.length).toBe(0)
  })

  it('keep their identity within a message, and their views their places', async () => {
    const { remote } = await open()
    const { buffer } = large(80_000)
    const words = new Uint16Array(buffer, 40, 1000)
    const [whole, first, second, view, inside] = (await remote.inOne(buffer, words, words, new DataView(buffer, 8), {
      buffer,
    })) as [ArrayBuffer, Uint16Array, Uint16Array, DataView, { buffer: ArrayBuffer }]
    expect(first).toBe(second)
    expect(first.buffer).toBe(whole)
    expect(view.buffer).toBe(whole)
    expect(inside.buffer).toBe(whole)
    expect([first.byteOffset, first.length, view.byteOffset]).toEqual([40, 1000, 8])
    expect(first).toEqual(words)
  })

  it('go the usual way where they are parts of a pool, can grow, or lie deeper', async () => {
    const { remote } = await open()
    const growing = new (ArrayBuffer as any)(40_000, { maxByteLength: 50_000 }) as ArrayBuffer & { resizable: boolean }
    const pooled = Buffer.from(large().buffer, 10, 50_000)
    const [a, b, c] = (await remote.inOne(growing, pooled, [{ deep: large() }])) as [
      typeof growing,
      Uint8Array,
      [{ deep: Uint8Array }],
    ]
    expect(a.resizable).toBe(growing.resizable)
    expect(a.byteLength).toBe(40_000)
    expect([b.length, b.buffer.byteLength]).toEqual([50_000, 50_000])
    expect(c[0].deep).toEqual(large())
  })

  it('are refused where a message is too long with them, and the link goes on', async () => {
    const { remote } = await open(150_000)
    await expect(remote.echo(large(151_000))).rejects.toThrow(/can't cross to another process/)
    await expect(remote.inOne(large(), large(), large())).rejects.toThrow(/can't cross to another process/)
    expect(await remote.echo(large(70_000))).toEqual(large(70_000))
  })

  it('end the link where they come without their message, or are too many', async () => {
    for (const frames of [
      [frameOfBuffer(large().buffer), Uint8Array.of(1, 0xff, 0x0f, 0x5f)],
      [frameOfBuffer(large().buffer), headFor([])],
      [headFor([large().buffer])],
      Array.from({ length: 20 }, () => frameOfBuffer(new ArrayBuffer(40_000))),
      [frameOfBuffer(large(100_000).buffer), frameOfBuffer(large(100_000).buffer)],
    ]) {
      const { near, channel } = await open(150_000)
      const gone = new Promise<void>((resolve) => near.onGone(resolve))
      for (const frame of frames) channel.receive(frame)
      await gone
      expect(near.gone).toBe(true)
    }
  })
})

describe('what goes apart', () => {
  it('is each buffer once, whose bytes are worth it', () => {
    const { buffer } = large()
    const shared = new Uint8Array(new SharedArrayBuffer(100_000))
    expect(largeBuffersOf([1, 'x', [buffer, new Uint8Array(buffer), shared, large(10)], large(2)], 1 << 20)).toEqual([
      buffer,
    ])
    expect(largeBuffersOf([large(600_000)], 1 << 20)).toEqual([])
  })

  it('is taken as it is where a frame is all of its buffer, else copied', () => {
    const arrived = new ArrivedBuffers(1 << 20)
    const buffers = [large(50_000).buffer, large(60_000).buffer]
    const [whole, other] = buffers.map(frameOfBuffer) as [Uint8Array, Uint8Array]
    const among = new Uint8Array(70_000)
    among.set(other, 4)
    arrived.add(whole)
    arrived.add(among.subarray(4, 60_004))
    expect(arrived.some).toBe(true)
    const { buffers: taken, start } = arrived.take(headFor(buffers))
    expect(taken).toEqual(buffers)
    expect(taken[0]).toBe(whole.buffer)
    expect(start).toBe(4)
    expect(arrived.some).toBe(false)
  })
})
