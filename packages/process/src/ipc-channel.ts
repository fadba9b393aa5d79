/**
 * Frames over the channel that Node gives a forked process (`process.send`), beside the messages of users.
 *
 *   either → other   { flatshare: 'hello', probe }   said when this end is made, and once more in answer to the first
 *   either → other   { flatshare: 'frame', bytes }   a frame
 *   either → other   { flatshare: 'end' }            this end has closed; the channel itself is its owner's, and stays
 *
 * Whichever end is made later, its hello finds the other one listening. What is sent before that waits here.
 *
 * Neither end knows how the process was forked: with `serialization: 'advanced'` bytes arrive as bytes, with `'json'` as
 * something else. The probe tells: where it arrives as no bytes, frames go as text (base64).
 */
import type { ChildProcess } from 'node:child_process'
import type { FrameChannel, FrameReceiver } from './channel.js'
import { WhenWritable } from './when-writable.js'

type IpcMessage =
  | { flatshare: 'hello'; probe: unknown; answers?: boolean }
  | { flatshare: 'frame'; bytes: Uint8Array | string }
  | { flatshare: 'end' }

/** This process, or one that it forked. */
export type IpcEndpoint = ChildProcess | NodeJS.Process

/** What a process that was forked holds of its channel; the counted forms are Node's own, and not in its documentation. */
interface Control {
  ref(): void
  unref(): void
  refCounted?(): void
  unrefCounted?(): void
}

/** So much may be on its way without anybody being asked to hold back. */
const HIGH_WATER = 1 << 20

export class IpcChannel implements FrameChannel {
  readonly what = 'IPC channel'
  #receiver: FrameReceiver | undefined
  /** Whether what came before it was started has been received. */
  #started = false
  #form: 'unknown' | 'bytes' | 'text' = 'unknown'
  readonly #early: Uint8Array[] = []
  #frames: Uint8Array[] = []
  #onWay = 0
  #end: { error: Error | undefined } | undefined
  #state: 'open' | 'closed' = 'open'
  #held = false
  readonly #whenWritable = new WhenWritable(this)
  readonly #message = (message: IpcMessage) => this.#receive(message)
  readonly #gone = () => this.#ended(undefined)

  constructor(
    readonly endpoint: IpcEndpoint,
    readonly maxFrame: number,
  ) {
    endpoint.on('message', this.#message)
    endpoint.once('disconnect', this.#gone)
    // A listener keeps a forked process alive; this one does when it is told to.
    if (endpoint === process) this.#count(false)
    if (endpoint.connected) this.#say({ flatshare: 'hello', probe: Uint8Array.of(1, 2, 3) })
    else this.#end = { error: undefined }
  }

  start(receiver: FrameReceiver): void {
    this.#receiver = receiver
    setImmediate(() => {
      const early = this.#frames
      this.#frames = []
      this.#started = true
      for (const frame of early) receiver.frame(frame)
      if (this.#end) this.#finish()
    })
  }

  #say(message: IpcMessage, sent: (error: Error | null) => void = () => {}): void {
    this.endpoint.send!(message, undefined, undefined, sent)
  }

  #receive(message: IpcMessage): void {
    if (typeof message !== 'object' || message === null || this.#end) return
    switch (message.flatshare) {
      case 'hello':
        if (message.answers !== true) {
          this.#say({ flatshare: 'hello', probe: Uint8Array.of(1, 2, 3), answers: true })
        }
        this.#form = message.probe instanceof Uint8Array ? 'bytes' : 'text'
        for (const frame of this.#early.splice(0)) this.#post(frame)
        break
      case 'frame': {
        const { bytes } = message
        const frame = typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : bytes
        if (!(frame instanceof Uint8Array)) return
        if (this.#started) this.#receiver!.frame(frame)
        else this.#frames.push(frame)
        break
      }
      case 'end':
        this.#ended(undefined)
    }
  }

  send(frame: Uint8Array): void {
    if (frame.length > this.maxFrame) {
      throw new RangeError(
        `A frame of ${frame.length.toLocaleString('en')} bytes is longer than the ${this.what} takes: ` +
          `${this.maxFrame.toLocaleString('en')} bytes (maxFrame).`,
      )
    }
    if (this.#end) return
    this.#onWay += frame.length
    if (this.#form === 'unknown') this.#early.push(frame)
    else this.#post(frame)
  }

  #post(frame: Uint8Array): void {
    const { length } = frame
    const bytes =
      this.#form === 'bytes' ? frame : Buffer.from(frame.buffer, frame.byteOffset, length).toString('base64')
    this.#say({ flatshare: 'frame', bytes }, () => {
      // It fails when the channel has closed, of which `disconnect` tells.
      this.#onWay -= length
      this.#whenWritable.tell()
    })
  }

  get writable(): boolean {
    return this.#end !== undefined || this.#onWay < HIGH_WATER
  }

  whenWritable(callback: () => void): void {
    this.#whenWritable.add(callback)
  }

  hold(hold: boolean): void {
    if (this.#held === hold || this.#state === 'closed') return
    this.#held = hold
    if (this.endpoint === process) this.#count(hold)
    else if (hold) this.endpoint.channel?.ref()
    else this.endpoint.channel?.unref()
  }

  /** Whether this end is counted among what keeps a forked process alive, as listeners of users are. */
  #count(counted: boolean): void {
    const control = process.channel as unknown as Control | undefined
    if (!control) return
    if (counted) (control.refCounted ?? control.ref).call(control)
    else (control.unrefCounted ?? control.unref).call(control)
  }

  close(): void {
    this.destroy()
  }

  destroy(error?: Error): void {
    if (this.#end) return
    if (this.endpoint.connected) this.#say({ flatshare: 'end' })
    this.#ended(error)
  }

  #ended(error: Error | undefined): void {
    if (this.#end) return
    this.#end = { error }
    if (this.#started) this.#finish()
  }

  #finish(): void {
    if (this.#state === 'closed') return
    // As the listener that is removed is counted no more by Node, it must be counted before.
    if (this.endpoint === process && !this.#held) this.#count(true)
    this.#state = 'closed'
    this.endpoint.off('message', this.#message)
    this.endpoint.off('disconnect', this.#gone)
    this.#whenWritable.tell()
    this.#receiver!.closed(this.#end!.error)
  }
}
