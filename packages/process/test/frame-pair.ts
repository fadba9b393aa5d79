/** Two ends of a channel in memory: what one sends comes at the other, later and in order. */
import type { FrameChannel, FrameReceiver } from '../dist/channel.js'

export class MemoryChannel implements FrameChannel {
  readonly what = 'pair in memory'
  maxFrame = 1 << 20
  writable = true
  /** Frames that were sent by this end. */
  sent = 0
  other!: MemoryChannel
  held = false
  #paused = false
  readonly #inbox: Uint8Array[] = []
  readonly #waiting: Array<() => void> = []
  #receiver: FrameReceiver | undefined
  #end: { error?: Error } | undefined
  #told = false

  start(receiver: FrameReceiver): void {
    this.#receiver = receiver
    this.#soon()
  }

  send(frame: Uint8Array): void {
    if (frame.length > this.maxFrame) throw new RangeError(`A frame of ${frame.length} bytes.`)
    if (this.#end) return
    this.sent++
    // A copy, as a wire makes one: nothing is shared.
    this.other.receive(frame.slice())
  }

  /** As if the other end had sent it. */
  receive(frame: Uint8Array): void {
    this.#inbox.push(frame)
    this.#soon()
  }

  #soon(): void {
    setImmediate(() => this.#deliver())
  }

  /** While it is so, what comes waits. */
  setPaused(paused: boolean): void {
    this.#paused = paused
    if (!paused) this.#soon()
  }

  #deliver(): void {
    if (!this.#receiver || this.#paused) return
    while (this.#inbox.length > 0) this.#receiver.frame(this.#inbox.shift()!)
    if (!this.#end || this.#told) return
    this.#told = true
    this.#receiver.closed(this.#end.error)
  }

  whenWritable(callback: () => void): void {
    if (this.writable) callback()
    else this.#waiting.push(callback)
  }

  /** From now on the other side keeps up, or doesn't. */
  setWritable(writable: boolean): void {
    this.writable = writable
    if (writable) for (const callback of this.#waiting.splice(0)) callback()
  }

  drain(): void {
    this.#deliver()
  }

  hold(hold: boolean): void {
    this.held = hold
  }

  close(): void {
    this.#ended()
    this.other.#ended()
  }

  destroy(error?: Error): void {
    this.#ended(error)
    this.other.#ended()
  }

  #ended(error?: Error): void {
    this.#end ??= error ? { error } : {}
    this.#soon()
  }
}

export function channelPair(): [MemoryChannel, MemoryChannel] {
  const [near, far] = [new MemoryChannel(), new MemoryChannel()]
  near.other = far
  far.other = near
  return [near, far]
}
