import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { RateLimit } from '../dist/rate-limit.js'
import { StreamChannel } from '../dist/stream-channel.js'
import { socketPair } from './socket-pair.js'

const open: Socket[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

async function sockets() {
  const pair = await socketPair()
  open.push(...pair)
  return pair
}

/** Collects what a channel receives. */
class Collector {
  readonly frames: string[] = []
  readonly end: Promise<Error | undefined>
  #end!: (error?: Error) => void
  #waiting: Array<{ count: number; resolve: () => void }> = []
  onFrame?: (bytes: Uint8Array) => void

  constructor(readonly channel: StreamChannel) {
    this.end = new Promise((resolve) => {
      this.#end = resolve
    })
    channel.hold(true)
    channel.start({
      frame: (bytes) => {
        this.frames.push(Buffer.from(bytes).toString())
        this.onFrame?.(bytes)
        for (const { count, resolve } of this.#waiting) if (this.frames.length >= count) resolve()
      },
      closed: (error) => this.#end(error),
    })
  }

  has(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.frames.length >= count) resolve()
      else this.#waiting.push({ count, resolve })
    })
  }
}

const channelOf = (socket: Socket, maxFrame = 1 << 26) => new StreamChannel(socket, { what: 'pipe', maxFrame })
const bytes = (text: string) => Buffer.from(text)

describe('a channel over a stream', () => {
  it('carries frames in order, both ways, and ends with the other side', async () => {
    const [a, b] = await sockets()
    const one = new Collector(channelOf(a))
    const other = new Collector(channelOf(b))
    for (let i = 0; i < 1000; i++) one.channel.send(bytes(`frame ${i}`))
    other.channel.send(bytes('back'))
    await Promise.all([one.has(1), other.has(1000)])
    expect(other.frames).toEqual(Array.from({ length: 1000 }, (_, i) => `frame ${i}`))
    one.channel.send(bytes('the last'))
    one.channel.close()
    expect(await other.end).toBeUndefined()
    expect(other.frames.at(-1)).toBe('the last')
    expect(await one.end).toBeUndefined()
  })

  it('keeps what came before it was started', async () => {
    const [a, b] = await sockets()
    const one = channelOf(a)
    one.send(bytes('early'))
    const other = new Collector(channelOf(b))
    await other.has(1)
    expect(other.frames).toEqual(['early'])
  })

  it('receives what came and sends what waits without the event loop', async () => {
    const [a, b] = await sockets()
    const one = new Collector(channelOf(a))
    const other = new Collector(channelOf(b))
    const long = 'x'.repeat(3_000_000)
    one.channel.send(bytes(long))
    one.channel.send(bytes('after it'))
    // No turn of the event loop from here on.
    for (let i = 0; i < 10_000 && other.frames.length < 2; i++) {
      one.channel.drain!()
      other.channel.drain!()
    }
    expect(other.frames.map((frame) => frame.length)).toEqual([3_000_000, 8])
    expect(one.channel.writable).toBe(true)
  })

  it('receives the next frame inside the receipt of one, in order', async () => {
    const [a, b] = await sockets()
    const one = channelOf(a)
    const other = new Collector(channelOf(b))
    const seen: string[] = []
    other.onFrame = (frame) => {
      seen.push(`begin ${frame}`)
      if (seen.length === 1) other.channel.drain!()
      seen.push(`end ${frame}`)
    }
    for (const text of ['1', '2', '3']) one.send(bytes(text))
    await other.has(3)
    expect(other.frames).toEqual(['1', '2', '3'])
    expect(seen[0]).toBe('begin 1')
    expect(seen.at(-1)).toBe('end 1')
  })

  it('says when the other side is slow, and when it has caught up', async () => {
    const [a, b] = await sockets()
    const one = channelOf(a)
    const piece = Buffer.alloc(1 << 16, 'y')
    let sent = 0
    while (one.writable) {
      one.send(piece)
      sent++
    }
    expect(sent).toBeGreaterThan(16)
    const writable = new Promise<void>((resolve) => one.whenWritable(resolve))
    const other = new Collector(channelOf(b))
    await writable
    expect(one.writable).toBe(true)
    await other.has(sent)
    one.close()
    await other.end
    expect(other.frames.length).toBe(sent)
  })

  it('sends all that waits before it closes', async () => {
    const [a, b] = await sockets()
    const one = channelOf(a)
    const piece = Buffer.alloc(1 << 16, 'y')
    for (let i = 0; i < 100; i++) one.send(piece)
    one.close()
    one.send(bytes('too late'))
    const other = new Collector(channelOf(b))
    expect(await other.end).toBeUndefined()
    expect(other.frames.length).toBe(100)
  })

  it('refuses to send a frame that is too long, and ends on one that comes', async () => {
    const [a, b] = await sockets()
    const small = new Collector(channelOf(a, 100))
    expect(() => small.channel.send(Buffer.alloc(101))).toThrow(
      new RangeError('A frame of 101 bytes is longer than the pipe takes: 100 bytes (maxFrame).'),
    )
    const other = new Collector(channelOf(b))
    other.channel.send(bytes('fits'))
    other.channel.send(Buffer.alloc(101))
    expect((await small.end)?.message).toMatch('A frame of 101 bytes was announced; at most 100 are taken')
    expect(small.frames).toEqual(['fits'])
    await other.end
  })

  it('tells an end amidst a frame from one between frames', async () => {
    const [a, b] = await sockets()
    const other = new Collector(channelOf(b))
    a.write(Buffer.from([2, 0, 0, 0, 0x68, 0x69, 9, 0, 0, 0, 0x21]))
    await other.has(1)
    a.destroy()
    expect((await other.end)?.message).toBe('The pipe ended amidst a frame, after 5 bytes of it.')
    expect(other.frames).toEqual(['hi'])
  })

  it('receives what the other side sent before it went, also where writing to it fails', async () => {
    const [a, b] = await sockets()
    const other = channelOf(b)
    const one = new Collector(channelOf(a))
    other.send(bytes('last words'))
    b.destroy()
    // In the same turn: the end hasn't been heard of.
    for (let i = 0; i < 5; i++) one.channel.send(bytes('to nobody'))
    await one.end
    expect(one.frames).toEqual(['last words'])
    expect(one.channel.writable).toBe(true)
  })

  it('calls back who waits to write when it is destroyed', async () => {
    const [a] = await sockets()
    const one = new Collector(channelOf(a))
    while (one.channel.writable) one.channel.send(Buffer.alloc(1 << 16))
    const writable = new Promise<void>((resolve) => one.channel.whenWritable(resolve))
    const reason = new Error('no more')
    one.channel.destroy(reason)
    await writable
    expect(await one.end).toBe(reason)
  })

  it('reads no more than its rate, and loses nothing by it', async () => {
    const [a, b] = await sockets()
    let now = 0
    const rate = new RateLimit({ bytes: 1000, frames: 2 }, () => now)
    const one = channelOf(a)
    const other = new Collector(new StreamChannel(b, { what: 'pipe', maxFrame: 1000, rate }))
    for (let i = 0; i < 3; i++) one.send(bytes(`${i}`))
    await other.has(3)
    one.send(bytes('later'))
    // What is at hand would be read in the next turn.
    for (let i = 0; i < 5; i++) await turn()
    expect(other.frames).toEqual(['0', '1', '2'])
    now = 10_000
    await other.has(4)
    expect(other.frames).toEqual(['0', '1', '2', 'later'])
  })
})

describe('a rate limit', () => {
  it('grants a second in advance, and asks for as much time as was taken beyond that', () => {
    let now = 0
    const limit = new RateLimit({ bytes: 1000, frames: 10 }, () => now)
    expect(limit.spend(1000, 1)).toBe(0)
    expect(limit.spend(500, 1)).toBe(500)
    now = 500
    expect(limit.spend(0, 0)).toBe(0)
    expect(limit.spend(0, 20)).toBe(1000)
    now = 100_000
    expect(limit.spend(1000, 10)).toBe(0)
  })
})
