/**
 * How frames stand in a stream of bytes: four bytes that say how many bytes follow (little endian), then those.
 *
 * Nothing in a stream tells where a frame begins but the frame before it. So one that is longer than allowed, or an end
 * amidst a frame, ends the stream: there is no going on after it.
 *
 * Invariant: a reader holds no more than what came, whatever length was announced.
 */
import { FlatshareError } from '@flatshare/core'

export const HEADER_BYTES = 4

/** A frame this short is copied behind its header: cheaper than to write two pieces. */
const COPIED_BYTES = 4096

/** The pieces to write for a frame. */
export function framed(frame: Uint8Array): Uint8Array[] {
  const { length } = frame
  const short = length <= COPIED_BYTES
  const head = Buffer.allocUnsafe(short ? HEADER_BYTES + length : HEADER_BYTES)
  head.writeUInt32LE(length)
  if (!short) return [head, frame]
  head.set(frame, HEADER_BYTES)
  return [head]
}

/** Takes a stream apart, however its pieces were cut. */
export class FrameReader {
  /** What came of the frame that isn't whole yet, its header included. */
  readonly #parts: Uint8Array[] = []
  #have = 0
  /** How much of it must be there until it can be read on. */
  #need = HEADER_BYTES

  constructor(readonly maxFrame: number) {}

  /** Whether a frame has begun, and not ended. */
  get amidst(): boolean {
    return this.#have > 0
  }

  /** What has come of a frame that isn't whole, in bytes. */
  get held(): number {
    return this.#have
  }

  /**
   * Adds the frames that are whole with this piece to `frames`. They may be views of it.
   *
   * @throws FlatshareError where a frame is announced that is too long; those before it were added.
   */
  push(piece: Uint8Array, frames: Uint8Array[]): void {
    let rest = piece
    while (rest.length > 0) {
      if (this.#have === 0 && rest.length >= HEADER_BYTES) {
        const end = HEADER_BYTES + this.#lengthAt(rest)
        if (rest.length >= end) {
          frames.push(rest.subarray(HEADER_BYTES, end))
          rest = rest.subarray(end)
          continue
        }
        this.#need = end
      }
      rest = this.#fill(rest, frames)
    }
  }

  /** Takes what the frame still needs; gives what is left. */
  #fill(rest: Uint8Array, frames: Uint8Array[]): Uint8Array {
    const part = rest.subarray(0, this.#need - this.#have)
    this.#parts.push(part)
    this.#have += part.length
    if (this.#have < this.#need) return rest.subarray(part.length)
    const whole = this.#parts.length === 1 ? part : Buffer.concat(this.#parts, this.#have)
    this.#parts.length = 0
    if (this.#need === HEADER_BYTES) {
      this.#need += this.#lengthAt(whole)
      if (this.#need > HEADER_BYTES) {
        this.#parts.push(whole)
        return rest.subarray(part.length)
      }
    }
    frames.push(whole.subarray(HEADER_BYTES))
    this.#have = 0
    this.#need = HEADER_BYTES
    return rest.subarray(part.length)
  }

  #lengthAt(bytes: Uint8Array): number {
    const length = (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0
    if (length <= this.maxFrame) return length
    throw new FlatshareError(
      `A frame of ${length.toLocaleString('en')} bytes was announced; at most ${this.maxFrame.toLocaleString('en')} are taken. ` +
        'Either the other side speaks no Flatshare, or its maxFrame is greater than that of this one.',
    )
  }
}
