/**
 * How frames stand in a stream of bytes: four bytes that say how many bytes follow (little endian), then those.
 *
 * Nothing in a stream tells where a frame begins but the frame before it. So one that is longer than allowed, or an end
 * amidst a frame, ends the stream: there is no going on after it.
 *
 * Invariant: a reader holds no more than twice what came, or `AT_ONCE` bytes, whatever length was announced.
 */
import { FlatshareError } from '@flatshare/core'

export const HEADER_BYTES = 4

/** A frame up to that length gets its whole memory with its first byte. */
const AT_ONCE = 1 << 21
/** What is left of a frame, if it is so much, has a place to be read into. */
export const WORTH_A_PLACE = 1 << 13

/** Writes the header of a frame of so many bytes. */
export function writeHeader(length: number, into: Uint8Array): void {
  into[0] = length
  into[1] = length >>> 8
  into[2] = length >>> 16
  into[3] = length >>> 24
}

function headerOf(length: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  writeHeader(length, header)
  return header
}

/** A frame this short is copied behind its header: cheaper than to write two pieces. */
export const COPIED_BYTES = 4096

/** The pieces to write for a frame. */
export function framed(frame: Uint8Array): Uint8Array[] {
  const { length } = frame
  if (length > COPIED_BYTES) return [headerOf(length), frame]
  const piece = Buffer.allocUnsafe(HEADER_BYTES + length)
  writeHeader(length, piece)
  piece.set(frame, HEADER_BYTES)
  return [piece]
}

const nothing = Buffer.alloc(0)

/** Takes a stream apart, however its pieces were cut. */
export class FrameReader {
  /** Of a frame that isn't whole yet: its header, */
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerBytes = 0
  /** then its length, and what came of it. */
  #length = 0
  #body = nothing
  #bodyBytes = 0

  constructor(readonly maxFrame: number) {}

  /** Whether a frame has begun, and not ended. */
  get amidst(): boolean {
    return this.#headerBytes > 0
  }

  /** What has come of a frame that isn't whole, in bytes. */
  get held(): number {
    return this.#headerBytes + this.#bodyBytes
  }

  /**
   * Adds the frames that are whole with this piece to `frames`. They may be views of it; of a frame that isn't whole yet
   * it keeps a copy.
   *
   * @throws FlatshareError where a frame is announced that is too long; those before it were added.
   */
  push(piece: Uint8Array, frames: Uint8Array[]): void {
    const { length } = piece
    let at = 0
    while (at < length) {
      if (this.#headerBytes === 0 && length - at >= HEADER_BYTES) {
        const start = at + HEADER_BYTES
        const end = start + this.#lengthAt(piece, at)
        if (end <= length) {
          frames.push(piece.subarray(start, end))
          at = end
          continue
        }
      }
      at = this.#keep(piece, at, frames)
    }
  }

  /** Keeps what a piece brings of a frame that begins or goes on in it; gives where the rest of the piece begins. */
  #keep(piece: Uint8Array, start: number, frames: Uint8Array[]): number {
    let at = start
    if (this.#headerBytes < HEADER_BYTES) {
      while (this.#headerBytes < HEADER_BYTES && at < piece.length) this.#header[this.#headerBytes++] = piece[at++]!
      if (this.#headerBytes < HEADER_BYTES) return at
      this.#length = this.#lengthAt(this.#header, 0)
    }
    const end = Math.min(piece.length, at + this.#length - this.#bodyBytes)
    if (end > at) {
      this.#makeRoom(this.#bodyBytes + end - at)
      this.#body.set(piece.subarray(at, end), this.#bodyBytes)
    }
    this.filled(end - at, frames)
    return end
  }

  #makeRoom(bytes: number): void {
    if (this.#body.length >= bytes) return
    const room = Math.min(this.#length, Math.max(AT_ONCE, 2 * bytes))
    const body = Buffer.allocUnsafeSlow(room)
    body.set(this.#body.subarray(0, this.#bodyBytes))
    this.#body = body
  }

  /** Where the next bytes of the stream belong, if there are to be many for the frame that has begun. */
  get place(): Uint8Array | undefined {
    if (this.#headerBytes < HEADER_BYTES || this.#length - this.#bodyBytes < WORTH_A_PLACE) return undefined
    if (this.#body.length === this.#bodyBytes) this.#makeRoom(this.#bodyBytes + 1)
    return this.#body.subarray(this.#bodyBytes)
  }

  /** So many bytes have come to that place. */
  filled(bytes: number, frames: Uint8Array[]): void {
    this.#bodyBytes += bytes
    if (this.#bodyBytes < this.#length) return
    frames.push(this.#body)
    this.#body = nothing
    this.#headerBytes = this.#bodyBytes = 0
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const length = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
    if (length <= this.maxFrame) return length
    throw new FlatshareError(
      `A frame of ${length.toLocaleString('en')} bytes was announced; at most ${this.maxFrame.toLocaleString('en')} are taken. ` +
        'Either the other side speaks no Flatshare, or its maxFrame is greater than that of this one.',
    )
  }
}
