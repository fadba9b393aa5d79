/**
 * Frames over a stream of bytes: a pipe, a Unix or TCP socket, with or without TLS.
 *
 * Reading. The stream's `data` events bring pieces; whole frames queue, and are received one after the other, in order,
 * also where a frame's receipt blocks its thread and so receives the next (`drain`).
 *
 * Writing. Where the stream has a descriptor that this process may write to by itself (no TLS, not on Windows), frames are
 * written to that (`direct-writer.ts`). If that fails, the other side is gone: what it sent before is still received, then
 * `closed`.
 *
 * Any other stream gets its frames by `write`, and says by itself when it has taken them.
 *
 * Invariants: a descriptor is asked of the stream's handle at each use, as its number means something else once that is
 * closed; nothing is received after `closed`.
 */
import { readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { FlatshareError } from '@flatshare/core'
import { clock } from '@flatshare/core/internal'
import type { FrameChannel, FrameReceiver } from './channel.js'
import { DirectWriter, isBusy } from './direct-writer.js'
import { FrameReader, framed } from './framing.js'
import type { RateLimit } from './rate-limit.js'

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
/** What is read at once by a thread that blocks. */
const READ_BYTES = 1 << 16
/** Milliseconds for which a closing channel tries to get rid of what waits, without any progress. */
const LINGER = 5_000
/** What is read is copied out of it at once. */
let scratch: Buffer | undefined

/** The descriptor of a socket that is open, and that may be read and written without its stream; else -1. */
function descriptorOf(socket: Socket): number {
  if (process.platform === 'win32' || 'encrypted' in socket) return -1
  return (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd ?? -1
}

export class StreamChannel implements FrameChannel {
  readonly what: string
  readonly maxFrame: number
  /** Absent where the stream has no descriptor of its own. */
  readonly drain?: () => void
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #rate: RateLimit | undefined
  readonly #early: Uint8Array | undefined
  readonly #direct: DirectWriter | undefined
  #receiver: FrameReceiver | undefined
  #frames: Uint8Array[] = []
  #next = 0
  /** What a piece brought after its whole frames makes no sense, or the stream has ended: told after those. */
  #end: { error: Error | undefined } | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #broken: Error | undefined
  #resume: NodeJS.Timeout | undefined
  #hushedUntil = 0
  readonly #whenWritable: Array<() => void> = []

  constructor(socket: Socket, { what, maxFrame, rate, early }: StreamChannelSettings) {
    this.what = what
    this.maxFrame = maxFrame
    this.#socket = socket
    this.#reader = new FrameReader(maxFrame)
    this.#rate = rate
    this.#early = early
    if (descriptorOf(socket) !== -1) {
      this.drain = () => this.#drain()
      this.#direct = new DirectWriter({
        descriptor: () => descriptorOf(socket),
        onWritten: () => this.#taken(),
        onBroken: (error) => this.#break(error),
        onStalled: (milliseconds) => {
          if (this.#state === 'closing' && milliseconds >= LINGER) this.destroy()
        },
      })
    }
    socket.setNoDelay?.(true)
    // A closed stream says so also to those who haven't begun to receive.
    socket.on('error', (error) => this.#ended(error))
    socket.on('close', () => this.#ended())
    socket.on('drain', () => this.#tellWritable())
    socket.unref()
  }

  start(receiver: FrameReceiver): void {
    // Nothing is received before this has returned.
    if (this.#early) this.#take(this.#early)
    this.#receiver = receiver
    this.#socket.on('data', (piece: Uint8Array) => this.#take(piece))
    this.#socket.on('end', () => this.#ended())
    if (this.#end || this.#frames.length > 0) setImmediate(() => this.#dispatch())
    this.#socket.resume()
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
    const pause = this.#rate?.spend(piece.length, this.#frames.length - before) ?? 0
    if (pause > 0) this.#hush(pause)
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

  #ended(error?: Error): void {
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
    while (this.#next < this.#frames.length) {
      const frame = this.#frames[this.#next++]!
      if (this.#state === 'open') this.#receiver.frame(frame)
    }
    if (this.#next > 0) {
      this.#frames = []
      this.#next = 0
    }
    if (this.#end) this.#closed(this.#end.error)
  }

  #drain(): void {
    this.#dispatch()
    this.#direct?.write()
    // What its stream has read already comes first, as a `data` event.
    if (this.#receiver && !this.#isHushed && this.#socket.readableLength > 0) this.#socket.read()
    while (this.#state === 'open' && !this.#end && this.#receiver && !this.#isHushed) {
      const descriptor = descriptorOf(this.#socket)
      if (descriptor === -1) return
      scratch ??= Buffer.allocUnsafeSlow(READ_BYTES)
      let length: number
      try {
        length = readSync(descriptor, scratch, 0, READ_BYTES, null)
      } catch (error) {
        if (!isBusy(error)) this.#ended(error as Error)
        return
      }
      if (length === 0) this.#ended()
      else this.#take(Buffer.from(scratch.subarray(0, length)))
      if (length < READ_BYTES) return
    }
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
    if (this.#direct) {
      this.#direct.send(framed(frame))
      return
    }
    this.#socket.cork()
    for (const piece of framed(frame)) this.#socket.write(piece)
    process.nextTick(() => this.#socket.uncork())
  }

  /** The descriptor has taken something. */
  #taken(): void {
    if (this.#state === 'closing' && this.#direct!.waits === 0) this.#hangUp()
    this.#tellWritable()
  }

  #break(error: Error): void {
    this.#broken = error
    this.#tellWritable()
    // What the other side said before it went comes first.
    setImmediate(() => {
      this.#drain()
      this.#ended(error)
    })
  }

  get writable(): boolean {
    if (this.#state !== 'open' || this.#broken) return true
    return (this.#direct?.waits ?? this.#socket.writableLength) < HIGH_WATER
  }

  whenWritable(callback: () => void): void {
    this.#whenWritable.push(callback)
    if (this.writable) setImmediate(() => this.#tellWritable())
  }

  #tellWritable(): void {
    if (this.#whenWritable.length === 0 || !this.writable) return
    for (const callback of this.#whenWritable.splice(0)) callback()
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────

  hold(hold: boolean): void {
    if (hold) this.#socket.ref()
    else this.#socket.unref()
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    if (!this.#direct?.waits) this.#hangUp()
  }

  #hangUp(): void {
    this.#socket.destroySoon()
    setTimeout(() => this.destroy(), LINGER).unref()
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
    this.#direct?.stop()
    clearTimeout(this.#resume)
    this.#socket.destroy()
    this.#tellWritable()
    this.#receiver?.closed(error)
  }
}
