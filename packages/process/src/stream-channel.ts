/**
 * Frames over a stream of bytes: a pipe, a Unix or TCP socket, with or without TLS.
 *
 * Where the stream has a descriptor that this process may use by itself (no TLS, not on Windows), frames are read from
 * that and written to that (`direct-reader.ts`, `direct-writer.ts`). If writing fails, the other side is gone: what it sent
 * before is still received, then `closed`. Any other stream brings pieces by its `data` events, and gets its frames by
 * `write`, and says by itself when it has taken them.
 *
 * No event tells that a descriptor takes more. So whoever has read all that came of a long frame says so to its writer, by
 * an empty frame, which is for that alone. Not by TCP, where closing with something unread discards what was written.
 *
 * Whole frames queue, and are received one after the other, in order, also where a frame's receipt blocks its thread and
 * so receives the next (`drain`).
 *
 * Invariants: what is in the queue is received before the piece is gone that brought it; nothing is received after
 * `closed`.
 */
import type { Socket } from 'node:net'
import { FlatshareError } from '@flatshare/core'
import { clock } from '@flatshare/core/internal'
import type { FrameChannel, FrameReceiver } from './channel.js'
import { DirectReader, descriptorOf } from './direct-reader.js'
import { DirectWriter } from './direct-writer.js'
import { FrameReader, framed } from './framing.js'
import type { RateLimit } from './rate-limit.js'
import { WhenWritable } from './when-writable.js'

export interface StreamChannelSettings {
  readonly what: string
  readonly maxFrame: number
  /** How much is read in a second, where that is limited. */
  readonly rate?: RateLimit | undefined
  /** What a handshake has read of the stream already, beyond its own. */
  readonly early?: Uint8Array | undefined
}

/** So much may wait to be written without anybody being asked to hold back. */
const HIGH_WATER = 1 << 20
/** An empty frame: all was read that has come of a long one, whose writer may not have been able to write more. */
const GO_ON = new Uint8Array(0)
/** Milliseconds for which a closing channel tries to get rid of what waits, without any progress. */
const LINGER = 5_000

export class StreamChannel implements FrameChannel {
  readonly what: string
  readonly maxFrame: number
  /** Absent where the stream has no descriptor of its own. */
  readonly drain?: () => void
  /** The one that was given, until reading begins below it. */
  #socket: Socket
  readonly #reader: FrameReader
  readonly #rate: RateLimit | undefined
  readonly #early: Uint8Array | undefined
  readonly #writer: DirectWriter | undefined
  #direct: DirectReader | undefined
  /** Within this machine, one that closes loses nothing that it has written, whatever it has not read. */
  readonly #isLocal: boolean
  #saidGoOn = false
  #holds = false
  #receiver: FrameReceiver | undefined
  #frames: Uint8Array[] = []
  #next = 0
  /** What a piece brought after its whole frames makes no sense, or the stream has ended: told after those. */
  #end: { error: Error | undefined } | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #broken: Error | undefined
  #resume: NodeJS.Timeout | undefined
  #hushedUntil = 0
  #linger: NodeJS.Timeout | undefined
  readonly #whenWritable = new WhenWritable(this)

  constructor(socket: Socket, { what, maxFrame, rate, early }: StreamChannelSettings) {
    this.what = what
    this.maxFrame = maxFrame
    this.#socket = socket
    this.#reader = new FrameReader(maxFrame)
    this.#rate = rate
    this.#early = early
    this.#isLocal = socket.remoteAddress === undefined
    if (descriptorOf(socket) !== -1) {
      this.drain = () => this.#drain()
      this.#writer = new DirectWriter({
        isTold: this.#isLocal,
        descriptor: () => descriptorOf(this.#socket),
        onWritten: () => this.#taken(),
        onBroken: (error) => this.#break(error),
        onStalled: (milliseconds) => {
          if (this.#state === 'closing' && milliseconds >= LINGER) this.destroy()
        },
      })
    }
    socket.setNoDelay?.(true)
    // A closed stream says so also to those who haven't begun to receive.
    this.#listen(socket)
  }

  #listen(socket: Socket): void {
    const mine = () => socket === this.#socket
    socket.on('error', (error) => mine() && this.#ended(error))
    socket.on('close', () => mine() && this.#ended())
    socket.on('drain', () => this.#whenWritable.tell())
    if (this.#holds) socket.ref()
    else socket.unref()
  }

  start(receiver: FrameReceiver): void {
    // Nothing is received before this has returned.
    if (this.#early) this.#take(this.#early)
    if (descriptorOf(this.#socket) !== -1) this.#readBelow(this.#socket)
    else {
      this.#socket.on('data', (piece: Uint8Array) => this.#take(piece))
      this.#socket.resume()
    }
    this.#receiver = receiver
    this.#socket.on('end', () => this.#ended())
    if (this.#end || this.#frames.length > 0) setImmediate(() => this.#dispatch())
  }

  #readBelow(stream: Socket): void {
    // Some streams read before they are asked to.
    const early = stream.read() as Buffer | null
    if (early) this.#take(early)
    const channel = this
    this.#direct = new DirectReader(stream, {
      get takes() {
        return channel.#state === 'open' && !channel.#end && channel.#receiver !== undefined && !channel.#isHushed
      },
      get place() {
        return channel.#reader.place
      },
      take: (piece) => this.#take(piece),
      filled: (bytes) => this.#filled(bytes),
      emptied: () => {
        if (!this.#isLocal || this.#writer?.waits !== 0) return
        this.#saidGoOn = true
        this.#writer.send(GO_ON)
      },
      ended: (error) => this.#ended(error),
    })
    this.#socket = this.#direct.socket
    this.#listen(this.#socket)
    if (this.#resume) this.#socket.pause()
  }

  // ── receiving ─────────────────────────────────────────────────────────────────────────────

  #take(piece: Uint8Array): void {
    if (this.#end) return
    const before = this.#frames.length
    try {
      this.#reader.push(piece, this.#frames)
    } catch (error) {
      this.#end = { error: error as Error }
    }
    let frames = 0
    for (let i = before; i < this.#frames.length; i++) if (this.#frames[i]!.length > 0) frames++
    this.#came(piece.length, frames)
  }

  /** The rest of a frame, or a part of it, was read to its place. */
  #filled(bytes: number): void {
    const before = this.#frames.length
    this.#reader.filled(bytes, this.#frames)
    this.#came(bytes, this.#frames.length - before)
  }

  #came(bytes: number, frames: number): void {
    const pause = this.#rate?.spend(bytes, frames) ?? 0
    if (pause > 0) this.#hush(pause)
    // Who says something may have read something, too.
    if (this.#writer?.waits) this.#writer.write()
    this.#dispatch()
  }

  /** Reads nothing for so long: then the sender waits. */
  #hush(pause: number): void {
    this.#hushedUntil = clock() + pause
    this.#socket.pause()
    clearTimeout(this.#resume)
    this.#resume = setTimeout(() => {
      this.#resume = undefined
      this.#socket.resume()
    }, Math.ceil(pause))
    this.#resume.unref()
  }

  /** Also for a thread that blocks, which no timer reaches. */
  get #isHushed(): boolean {
    return this.#resume !== undefined && clock() < this.#hushedUntil
  }

  #ended(cause?: Error): void {
    // Who has closed without having read the last such word has closed all the same.
    const unread =
      this.#saidGoOn && !this.#reader.amidst && (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNRESET'
    const error = unread ? undefined : cause
    this.#end ??= {
      error:
        error ??
        this.#broken ??
        (this.#reader.amidst
          ? new FlatshareError(`The ${this.what} ended amidst a frame, after ${this.#reader.held} bytes of it.`)
          : undefined),
    }
    this.#dispatch()
  }

  #dispatch(): void {
    if (!this.#receiver) return
    try {
      while (this.#next < this.#frames.length) {
        const frame = this.#frames[this.#next++]!
        if (frame.length > 0 && this.#state === 'open') this.#receiver.frame(frame)
      }
    } finally {
      // A receipt that has failed leaves the others for later: when the piece that brought them is gone.
      for (let i = this.#next; i < this.#frames.length; i++) this.#frames[i] = this.#frames[i]!.slice()
    }
    if (this.#next > 0) {
      this.#frames = []
      this.#next = 0
    }
    if (this.#end) this.#closed(this.#end.error)
  }

  #drain(): void {
    this.#dispatch()
    this.#writer?.write()
    this.#direct?.drain()
  }

  // ── sending ───────────────────────────────────────────────────────────────────────────────

  send(frame: Uint8Array): void {
    if (frame.length > this.maxFrame) {
      throw new RangeError(
        `A frame of ${frame.length.toLocaleString('en')} bytes is longer than the ${this.what} takes: ` +
          `${this.maxFrame.toLocaleString('en')} bytes (maxFrame).`,
      )
    }
    if (this.#state !== 'open' || this.#broken) return
    if (this.#writer) {
      this.#writer.send(frame)
      return
    }
    this.#socket.cork()
    for (const piece of framed(frame)) this.#socket.write(piece)
    process.nextTick(() => this.#socket.uncork())
  }

  /** The descriptor has taken something. */
  #taken(): void {
    if (this.#state === 'closing' && this.#writer!.waits === 0) this.#hangUp()
    this.#whenWritable.tell()
  }

  #break(error: Error): void {
    this.#broken = error
    this.#whenWritable.tell()
    // What the other side said before it went comes first.
    setImmediate(() => {
      this.#drain()
      this.#ended(error)
    })
  }

  get writable(): boolean {
    if (this.#state !== 'open' || this.#broken) return true
    return (this.#writer?.waits ?? this.#socket.writableLength) < HIGH_WATER
  }

  whenWritable(callback: () => void): void {
    this.#whenWritable.add(callback)
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────

  hold(hold: boolean): void {
    this.#holds = hold
    if (hold) this.#socket.ref()
    else this.#socket.unref()
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    if (!this.#writer?.waits) this.#hangUp()
  }

  #hangUp(): void {
    this.#socket.destroySoon()
    this.#linger = setTimeout(() => this.destroy(), LINGER)
    this.#linger.unref()
  }

  destroy(error?: Error): void {
    if (this.#state === 'closed') return
    this.#end ??= { error }
    this.#closed(error)
  }

  #closed(error: Error | undefined): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#frames = []
    this.#writer?.stop()
    clearTimeout(this.#resume)
    clearTimeout(this.#linger)
    this.#socket.destroy()
    this.#whenWritable.tell()
    this.#receiver?.closed(error)
  }
}
