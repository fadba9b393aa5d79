/**
 * A channel with what must be said beside the frames of the link: signs of life, and what ends the other process.
 *
 *   [0, 0]          asks for a sign, answered by [0, 1]
 *   [0, 1]          a sign
 *   [0, 2, error…]  an uncaught error ends the sender; nothing else will come
 *
 * Frames of a link never begin with 0. Signs are answered by the event loop, so the heartbeat of a channel measures that: a
 * process that computes without a pause gives none.
 */
import { deserialize, serialize } from 'node:v8'
import { FlatshareError } from '@flatshare/core'
import type { FrameChannel, FrameReceiver } from './channel.js'
import { Heartbeat, type HeartbeatOptions } from './heartbeat.js'

const CONTROL = 0
const ASK = 0
const SIGN = 1
const FAILED = 2

export interface ControlSettings {
  /** Ends the channel when nothing comes for so long. */
  readonly heartbeat?: Required<HeartbeatOptions> | undefined
  /** What errors call the other side. */
  readonly other: string
  /** The channel below has closed. Gives true where it will say itself, by `end`, when the link shall hear of that. */
  readonly onClosed?: (error: Error | undefined) => boolean
}

export class ControlChannel implements FrameChannel {
  readonly what: string
  readonly maxFrame: number
  readonly drain?: () => void
  /** Whether a thread that blocks receives by it. */
  draining = false
  /** How many frames have come. */
  heard = 0
  /** What has ended the other process, where it said so. */
  failure: Error | undefined
  #receiver: FrameReceiver | undefined
  #heartbeat: Heartbeat | undefined
  #closed = false

  constructor(
    readonly channel: FrameChannel,
    readonly settings: ControlSettings,
  ) {
    this.what = channel.what
    this.maxFrame = channel.maxFrame
    if (channel.drain) this.drain = () => this.#drain()
  }

  start(receiver: FrameReceiver): void {
    this.#receiver = receiver
    const { onClosed } = this.settings
    this.channel.start({
      frame: (bytes) => {
        this.heard++
        this.#heartbeat?.heard()
        if (bytes[0] === CONTROL) this.#control(bytes)
        else receiver.frame(bytes)
      },
      closed: (error) => {
        if (!onClosed?.(error)) this.end(error)
      },
    })
  }

  /** Begins to ask for signs of life: once the other side serves, as its module may take long to load. */
  watch(): void {
    const { heartbeat, other } = this.settings
    if (!heartbeat || this.#closed) return
    this.#heartbeat = new Heartbeat(heartbeat, {
      ask: () => this.channel.send(Uint8Array.of(CONTROL, ASK)),
      lost: (timeout) => this.destroy(new FlatshareError(`${other} has not answered for ${timeout} ms.`)),
    })
  }

  #control(bytes: Uint8Array): void {
    if (bytes[1] === ASK) this.channel.send(Uint8Array.of(CONTROL, SIGN))
    else if (bytes[1] === FAILED && !this.failure) this.failure = errorIn(bytes.slice(2))
  }

  #drain(): void {
    const { draining } = this
    this.draining = true
    try {
      this.channel.drain!()
    } finally {
      this.draining = draining
    }
  }

  /** Tells the receiver that nothing comes any more. */
  end(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#heartbeat?.stop()
    this.#receiver?.closed(this.failure ?? error)
  }

  /** Says what ends this process, and closes. */
  fail(error: unknown): void {
    let packed: Uint8Array
    try {
      packed = serialize(error)
    } catch {
      packed = serialize(new Error(error instanceof Error ? error.message : String(error)))
    }
    const frame = Buffer.concat([Uint8Array.of(CONTROL, FAILED), packed])
    if (frame.length <= this.maxFrame) this.channel.send(frame)
    this.close()
  }

  send(frame: Uint8Array): void {
    this.channel.send(frame)
  }

  get writable(): boolean {
    return this.channel.writable
  }

  whenWritable(callback: () => void): void {
    this.channel.whenWritable(callback)
  }

  hold(hold: boolean): void {
    this.channel.hold(hold)
  }

  close(): void {
    this.#heartbeat?.stop()
    this.channel.close()
  }

  destroy(error?: Error): void {
    this.#heartbeat?.stop()
    this.channel.destroy(error)
  }
}

function errorIn(bytes: Uint8Array): Error {
  try {
    const error: unknown = deserialize(bytes)
    return error instanceof Error ? error : new FlatshareError(String(error))
  } catch {
    return new FlatshareError('The process could not say why.')
  }
}
