/**
 * A link between threads of two processes, over frames of bytes.
 *
 * The first frame each way says who is there (`greeting.ts`). Then each frame has messages, in order. Its first byte says
 * whether it is ONE record (the rest of it) or MANY (each after its length, in 4 bytes). A record is a run of calls and
 * answers that carry a few primitive values (`plain-record.ts`), or one value of the codec's: a message, or a list of
 * messages. Messages of plain values share a record; any other has its own, as values of two messages must not share what
 * is in them.
 * The large buffers of a message go before it, each as a frame (`apart-buffers.ts`).
 *
 * Messages that are sent in one turn go together at its end, or before this thread blocks; where the other side is awake,
 * some at a time, so that it begins meanwhile. What isn't plain is encoded at once, as it may change meanwhile.
 *
 *   new      → met      their first frame came: their thread has an id here
 *   any      → closed   by this side, by the channel's end, or by a frame that makes no sense
 *
 * Invariant: messages are received one after the other, in order, even if one's receipt blocks and so receives the next.
 */

import {
  type AnswerMessage,
  type CallMessage,
  type CarryingMessage,
  forgetUnsent,
  isPlain,
  type Link,
  type LinkReceiver,
  type Message,
  messages,
  noteUnsent,
  sendPacked,
} from '@flatshare/apartment/internal'
import { FlatshareError, NotMarshalableError } from '@flatshare/core'
import {
  type CallId,
  type ForeignThread,
  holdOpen,
  joinForeign,
  nameThread,
  type ThreadHome,
} from '@flatshare/core/internal'
import { APART, ArrivedBuffers, BUFFER, frameOfBuffer, headFor, largeBuffersOf } from './apart-buffers.js'
import type { FrameChannel } from './channel.js'
import { decode, encode, isDeeperThan } from './codec.js'
import { type Greeting, greeting, readGreeting } from './greeting.js'
import { PlainContext, PlainReader, TOO_DEEP } from './plain-reader.js'
import { isPlainRecord, LONGEST_RUN } from './plain-record.js'
import { PlainWriter } from './plain-writer.js'
import { enterLink, isPaying, leaveLink, noteFrame, stayAwake } from './staying-awake.js'
import { Nonsense, Translation } from './translate.js'

const { ANSWER, FAILURE } = messages

const ONE = Uint8Array.of(1)
const MANY = 2
/** A plain message that may take more is encoded at once, so that one that is too large is refused. */
const PLAIN_BYTES = 32_768
/** So many plain messages share a record at most. */
const LONGEST_LIST = 1024
/** So many calls and answers with plain values go at once, where the other side is awake. */
const BATCH = 32

export interface FrameLinkOptions {
  /** What the other thread shall be called: it calls itself so where it lets this side choose. */
  readonly name?: string | undefined
  /** Whether the other side chooses what this thread is called. */
  readonly takesName?: boolean
  /** How deep a message may be nested, its own lists included: for strangers. */
  readonly maxDepth?: number
}

/** A link to a thread of another process. */
export interface FrameLink extends Link {
  /** Which thread it is; undefined until it has said so. */
  readonly remote: ThreadHome | undefined
}

/** Makes a link of a channel, and says who is here. It receives once it has got its receiver. */
export function frameLink(channel: FrameChannel, options: FrameLinkOptions = {}): FrameLink {
  return new ChannelLink(channel, options)
}

/** A frame of one record, or plain messages that are yet to be encoded. */
type Waiting = Uint8Array | unknown[][]

class ChannelLink implements FrameLink {
  readonly kind = 'port'
  readonly apart = true
  readonly polled = true
  readonly stuck = false
  readonly pace = 0
  readonly #channel: FrameChannel
  readonly #options: FrameLinkOptions
  #receiver: LinkReceiver | undefined
  #translation: Translation | undefined
  #thread: ForeignThread | undefined
  #closed = false
  #waiting: Waiting[] = []
  /** Bytes of the records that wait. */
  #bytes = 0
  /** Whether the end of the turn is awaited. */
  #noted = false
  /** Calls and answers that were written in this turn since some went. */
  #written = 0
  /** Whether something of what is sent answers a call. */
  #answers = false
  /** What is written there comes after all that waits. */
  readonly #writer: PlainWriter
  readonly #context: PlainContext
  readonly #buffers: ArrivedBuffers
  /** Came together, and not received yet: messages, and runs of them. */
  #incoming: unknown[] = []
  #next = 0
  #letGo: (() => void) | undefined
  remote: ThreadHome | undefined

  constructor(channel: FrameChannel, options: FrameLinkOptions) {
    this.#channel = channel
    this.#options = options
    this.#writer = new PlainWriter(ONE[0]!, Math.min(LONGEST_RUN, channel.maxFrame >> 1), () => this.#endRun())
    this.#context = new PlainContext(options.maxDepth)
    this.#buffers = new ArrivedBuffers(channel.maxFrame)
    channel.send(greeting(options.name))
  }

  get drains(): boolean {
    return this.#channel.drain !== undefined
  }

  start(receiver: LinkReceiver): void {
    this.#receiver = receiver
    enterLink(receiver)
    this.#channel.start({
      frame: (bytes) => this.#frame(bytes),
      closed: (error) => this.#gone(error),
    })
  }

  met(): void {}

  // ── sending ───────────────────────────────────────────────────────────────────────────────

  send(message: Message, transferList: any[] = []): void {
    if (this.#closed) return
    const moved = onlyBuffers(transferList)
    const kind = message[0]
    if (kind === ANSWER || kind === FAILURE) this.#answers = true
    const translation = this.#translation
    const out: unknown[] = translation ? translation.out(message) : message
    const bytes = plainBytes(out)
    const { maxFrame } = this.#channel
    if (bytes <= Math.min(PLAIN_BYTES, maxFrame >> 2)) this.#addPlain(out, bytes)
    else {
      const buffers = largeBuffersOf(out, maxFrame)
      if (buffers.length > 0) this.#sendApart(out, buffers)
      else this.#add(this.#encode(out))
    }
    // What is transferred is copied, and gone here as everywhere.
    if (moved.length > 0) structuredClone(undefined, { transfer: moved })
  }

  carry(message: CarryingMessage, value: unknown): void {
    if (this.#writePlain(message, value)) return
    sendPacked(message, value, this.#receiver!, (filled, transferList) => this.send(filled, transferList))
  }

  /** What carries little needs no packing. */
  #writePlain(message: CarryingMessage, value: unknown): boolean {
    const translation = this.#translation
    if (this.#closed) return true
    if (!translation) return false
    if (!this.#writer.write(message, value, translation)) return false
    if (!this.#noted) this.#note()
    if (message[0] === ANSWER) this.#answers = true
    // Another process that sleeps is woken but once.
    if (++this.#written >= BATCH && isPaying()) this.#sendBatch()
    return true
  }

  /** What is sent from now on comes after what was written. */
  #endRun(): void {
    const { length } = this.#writer
    if (length === 0) return
    const run = this.#writer.take()
    this.#makeRoom(length)
    this.#waiting.push(run)
  }

  /** A frame of one record. */
  #encode(message: unknown, head: Uint8Array = ONE, apart?: readonly ArrayBuffer[]): Uint8Array {
    const frame = encode(message, head, apart)
    const most = this.#channel.maxFrame
    // In a frame of several, each record has four bytes more.
    if (frame.length + 4 <= most) return frame
    throw new NotMarshalableError(
      `A value can't cross to another process: it takes ${frame.length - 1} bytes, and the ${this.#channel.what} carries ` +
        `${most - 5} at once. Send it in parts, as a stream or an iterator does.`,
    )
  }

  /** Sends a message whose buffers go apart, after all that waits. */
  #sendApart(message: unknown[], buffers: readonly ArrayBuffer[]): void {
    const record = this.#encode(message, headFor(buffers), buffers)
    this.#endRun()
    this.#sendWaiting()
    for (const buffer of buffers) this.#channel.send(frameOfBuffer(buffer))
    this.#channel.send(record)
  }

  #addPlain(message: unknown[], bytes: number): void {
    this.#endRun()
    this.#makeRoom(bytes)
    const last = this.#waiting[this.#waiting.length - 1]
    if (Array.isArray(last) && last.length < LONGEST_LIST) last.push(message)
    else this.#waiting.push([message])
    if (!this.#noted) this.#note()
  }

  #add(frame: Uint8Array): void {
    this.#endRun()
    this.#makeRoom(frame.length + 4)
    this.#waiting.push(frame)
    if (!this.#noted) this.#note()
  }

  #makeRoom(bytes: number): void {
    if (this.#bytes > 0 && this.#bytes + bytes > this.#channel.maxFrame >> 1) this.#sendWaiting()
    this.#bytes += bytes
  }

  #note(): void {
    this.#noted = true
    noteUnsent(this)
  }

  flush(): void {
    if (!this.#noted) return
    this.#noted = false
    forgetUnsent(this)
    if (this.#closed) return
    this.#sendBatch()
    if (this.#answers || this.#receiver?.awaits) stayAwake()
    this.#answers = false
  }

  #sendBatch(): void {
    this.#written = 0
    this.#endRun()
    this.#sendWaiting()
  }

  #sendWaiting(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    this.#bytes = 0
    this.#channel.send(waiting.length === 1 ? encoded(waiting[0]!) : frameOf(waiting.map(encoded)))
  }

  whenTaken(callback: () => void): void {
    this.flush()
    const channel = this.#channel
    if (channel.writable) callback()
    else channel.whenWritable(callback)
  }

  // ── receiving ─────────────────────────────────────────────────────────────────────────────

  #frame(bytes: Uint8Array): void {
    if (this.#closed) return
    noteFrame()
    try {
      if (this.#translation) this.#unpack(bytes)
      else this.#meet(readGreeting(bytes))
    } catch (error) {
      this.#refuse(error)
      return
    }
    try {
      this.#receiveAll()
    } finally {
      // What a receipt that has failed leaves for later outlives the frame.
      for (let i = this.#next; i < this.#incoming.length; i++) {
        const run = this.#incoming[i]
        if (run instanceof PlainReader) run.keep()
      }
      if (this.#receiver!.awaits) stayAwake()
    }
  }

  #meet({ call, ...home }: Greeting): void {
    const { name, takesName = false } = this.#options
    if (takesName && call !== undefined) nameThread(call)
    const called = name ?? `${home.name} of process ${home.pid ?? home.process}`
    this.remote = home
    this.#thread = joinForeign(home, called)
    this.#translation = new Translation(home, this.#thread, called)
  }

  #unpack(frame: Uint8Array): void {
    if (frame[0] === BUFFER) this.#buffers.add(frame)
    else if (frame[0] === APART) {
      const { buffers, start } = this.#buffers.take(frame)
      this.#decodeMessage(frame.subarray(start), buffers)
    } else if (this.#buffers.some) throw new Nonsense('Buffers came without their message')
    else if (frame[0] === ONE[0]) this.#decode(frame, 1, frame.length)
    else if (frame[0] === MANY) {
      const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
      for (let at = 1; at < frame.length; ) {
        const end = at + 4 <= frame.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY
        if (end > frame.length) throw new Nonsense('A record goes beyond the end of its frame')
        this.#decode(frame, at + 4, end)
        at = end
      }
    } else throw new Nonsense(`No frame begins with ${frame[0] ?? 'nothing'}`)
  }

  #decode(frame: Uint8Array, start: number, end: number): void {
    if (isPlainRecord(frame, start)) {
      this.#incoming.push(new PlainReader(frame, start, end))
      return
    }
    this.#decodeMessage(frame.subarray(start, end))
  }

  #decodeMessage(record: Uint8Array, buffers?: readonly ArrayBuffer[]): void {
    let message: unknown
    try {
      message = decode(record, buffers)
    } catch (error) {
      // Of what is too deep for the stack as it is now, both sides are told: the calls that it may have been for end.
      if (error instanceof RangeError && /stack/i.test(error.message)) this.#incoming.push(UNREADABLE)
      else throw new Nonsense('A message can not be read', { cause: error })
      return
    }
    const { maxDepth } = this.#options
    if (maxDepth !== undefined && isDeeperThan(message, maxDepth)) {
      throw new Nonsense(`A message is nested more than ${maxDepth} deep`)
    }
    if (!Array.isArray(message)) throw new Nonsense('What came is no message')
    if (!Array.isArray(message[0])) this.#incoming.push(message)
    else for (const one of message as unknown[]) this.#incoming.push(one)
  }

  #receiveAll(): void {
    while (this.#next < this.#incoming.length && !this.#closed) {
      const message = this.#incoming[this.#next]
      if (message instanceof PlainReader) this.#receiveRun(message)
      else {
        this.#next++
        this.#receive(message)
      }
    }
    if (this.#next === 0) return
    this.#incoming = []
    this.#next = 0
  }

  /** Receives what is left of a run, as far as that isn't done meanwhile. */
  #receiveRun(run: PlainReader): void {
    while (!this.#closed) {
      let message: CallMessage | AnswerMessage | typeof TOO_DEEP | undefined
      try {
        message = run.next(this.#context, this.#translation!)
      } catch (error) {
        this.#refuse(error)
        return
      }
      if (message === undefined) break
      if (message === TOO_DEEP) this.#receiver!.lost()
      else this.#receiver!.receive(message)
    }
    if (this.#incoming[this.#next] === run) this.#next++
  }

  #receive(message: unknown): void {
    if (message === UNREADABLE) {
      this.#receiver!.lost()
      return
    }
    let meant: unknown
    try {
      meant = this.#translation!.in(message)
    } catch (error) {
      this.#refuse(error)
      return
    }
    this.#receiver!.receiveUnchecked(meant)
  }

  /** Nothing that comes from there can be trusted any more. */
  #refuse(cause: unknown): void {
    const why = cause instanceof Nonsense ? cause.message : 'What came makes no sense'
    const error = new FlatshareError(`${why}: the ${this.#channel.what} was closed.`, { cause })
    this.#incoming = []
    this.#next = 0
    this.#channel.destroy(error)
    this.#gone(error)
  }

  drain(): void {
    this.#receiveAll()
    if (!this.#closed) this.#channel.drain?.()
    this.#receiveAll()
  }

  look(): void {}

  served(path: readonly CallId[]): void {
    this.#translation?.served(path)
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────

  hold(hold: boolean): void {
    // Not by the channel: that may close before this thread has heard why, and holds it for as long as its owner says.
    if (hold) this.#letGo ??= holdOpen()
    else {
      this.#letGo?.()
      this.#letGo = undefined
    }
  }

  #gone(error?: Error): void {
    if (this.#closed) return
    this.#receiveAll()
    this.#end()
    this.#receiver!.closed(error)
  }

  /** What came is received by now, and nothing is sent any more. */
  #end(): void {
    this.#closed = true
    leaveLink(this.#receiver!)
    forgetUnsent(this)
    this.#waiting = []
    this.#translation?.clear()
    this.#thread?.end()
    this.hold(false)
  }

  close(): void {
    if (this.#closed) return
    this.flush()
    this.#end()
    this.#channel.close()
  }
}

/** A message that could not be read. */
const UNREADABLE = Symbol('unreadable')

/** A frame of one record. One message goes without a list of its own. */
const encoded = (waiting: Waiting): Uint8Array =>
  Array.isArray(waiting) ? encode(waiting.length === 1 ? waiting[0] : waiting, ONE) : waiting

/** One frame of several, each of one record. */
function frameOf(frames: readonly Uint8Array[]): Uint8Array {
  const frame = Buffer.allocUnsafeSlow(frames.reduce((sum, { length }) => sum + length + 3, 1))
  frame[0] = MANY
  let at = 1
  for (const one of frames) {
    const length = one.length - 1
    frame.writeUInt32LE(length, at)
    frame.set(one.subarray(1), at + 4)
    at += 4 + length
  }
  return frame
}

/** How many bytes a plain message takes at most; infinitely many for any other. */
function plainBytes(message: unknown[]): number {
  let bytes = 16
  for (const x of message) {
    if (!Array.isArray(x)) bytes += bytesOf(x)
    else if (x.length > LONGEST_LIST) return Number.POSITIVE_INFINITY
    else for (const y of x) bytes += bytesOf(y)
  }
  return isPlain(message) ? bytes : Number.POSITIVE_INFINITY
}

function bytesOf(x: unknown): number {
  if (typeof x === 'string') return 8 + 2 * x.length
  // There may be thousands of digits.
  return typeof x === 'bigint' ? Number.POSITIVE_INFINITY : 9
}

/** @throws NotMarshalableError for what can be moved within a process alone. */
function onlyBuffers(transferList: readonly unknown[]): ArrayBuffer[] {
  for (const x of transferList) {
    if (x instanceof ArrayBuffer) continue
    const name = (x as object).constructor?.name || 'object'
    throw new NotMarshalableError(
      `A value can't cross to another process: it contains a ${name}, which can be moved between threads of one process ` +
        'only. Send a stream, an iterator or a function instead: those reach as far as calls do.',
    )
  }
  return transferList as ArrayBuffer[]
}
