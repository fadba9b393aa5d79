/**
 * Two ends of a stream of bytes in memory, which breaks after a number of bytes, both ways together: at any place of any
 * frame, and at the same place each time.
 */
import { Duplex } from 'node:stream'

/** How an end learns that the wire is broken. */
export type Break = 'ends' | 'fails'

export class Wire {
  /** How many bytes have passed. */
  passed = 0
  readonly ends: readonly [WireEnd, WireEnd]

  constructor(
    /** How many pass before it breaks. */
    readonly most = Number.POSITIVE_INFINITY,
    readonly how: Break = 'ends',
  ) {
    this.ends = [new WireEnd(this), new WireEnd(this)]
  }

  get broken(): boolean {
    return this.passed >= this.most
  }

  /** Takes some bytes from one end to the other, as far as it comes. */
  pass(from: WireEnd, bytes: Uint8Array): void {
    const before = this.passed
    if (this.broken) return
    const arrive = bytes.subarray(0, this.most - before)
    this.passed += arrive.length
    const to = this.ends[from === this.ends[0] ? 1 : 0]
    // A copy, as a wire makes one.
    if (arrive.length > 0) to.push(arrive.slice())
    if (!this.broken) return
    for (const end of this.ends) end.cut(this.how)
  }
}

/** What a stream channel uses of a socket. */
class WireEnd extends Duplex {
  constructor(readonly wire: Wire) {
    super({ allowHalfOpen: false })
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.wire.pass(this, bytes)
    setImmediate(done)
  }

  override _final(done: () => void): void {
    for (const end of this.wire.ends) if (end !== this) end.push(null)
    done()
  }

  cut(how: Break): void {
    if (how === 'ends') this.push(null)
    else
      setImmediate(() =>
        this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })),
      )
  }

  destroySoon(): void {
    this.end(() => this.destroy())
  }

  ref(): void {}
  unref(): void {}
}
