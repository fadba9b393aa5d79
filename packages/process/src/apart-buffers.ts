/**
 * Large buffers of a message, each in a frame of its own. What such a frame is read into becomes the buffer that arrives,
 * so that it isn't copied once more.
 *
 *   BUFFER   the bytes of a buffer, but the first: in its place is this kind
 *   APART    how many buffers came before it, the first byte of each, then the message, which refers to them
 *
 * Buffers come right before their message. They are as many, and altogether as long, as a message may be.
 */
import { Nonsense } from './translate.js'

export const BUFFER = 3
export const APART = 4

/** Smaller ones are copied sooner than they are sent apart. */
const LARGE = 1 << 15
const MOST = 16

/** A buffer that arrives as it is if its bytes do. */
function isLarge(x: unknown): x is ArrayBuffer {
  return x instanceof ArrayBuffer && x.byteLength >= LARGE && (x as { resizable?: boolean }).resizable !== true
}

/** The large buffers among the arguments, or the result, in a message; as many as go apart. */
export function largeBuffersOf(message: readonly unknown[], maxFrame: number): ArrayBuffer[] {
  const found: ArrayBuffer[] = []
  let bytes = 0
  const look = (x: unknown) => {
    // Of a `Buffer` its own bytes go, and no others that lie in the same memory.
    const buffer: unknown = ArrayBuffer.isView(x) && !Buffer.isBuffer(x) ? x.buffer : x
    if (!isLarge(buffer) || found.length === MOST || found.includes(buffer)) return
    bytes += buffer.byteLength
    // The way of all others says what is too long.
    if (bytes <= maxFrame >> 1) found.push(buffer)
  }
  for (const x of message) {
    if (Array.isArray(x) && x.length <= MOST) for (const y of x) look(y)
    else look(x)
  }
  return found
}

/** What the record of a message begins with whose buffers go apart. */
export function headFor(buffers: readonly ArrayBuffer[]): Uint8Array {
  return Uint8Array.of(APART, buffers.length, ...buffers.map((buffer) => new Uint8Array(buffer, 0, 1)[0]!))
}

/** The frame of a buffer, as it is now. */
export function frameOfBuffer(buffer: ArrayBuffer): Uint8Array {
  const frame = Buffer.allocUnsafeSlow(buffer.byteLength)
  frame.set(new Uint8Array(buffer))
  frame[0] = BUFFER
  return frame
}

/** Buffers that came, and wait for their message. */
export class ArrivedBuffers {
  #buffers: ArrayBuffer[] = []
  #bytes = 0

  constructor(readonly maxFrame: number) {}

  /** Whether a message must come next that refers to them. */
  get some(): boolean {
    return this.#buffers.length > 0
  }

  /** @throws Nonsense for more than a message has. */
  add(frame: Uint8Array): void {
    const { buffer, byteLength } = frame
    this.#bytes += byteLength
    if (this.#buffers.length === MOST || this.#bytes > this.maxFrame) throw new Nonsense('Too many buffers came')
    const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    this.#buffers.push(isWhole ? buffer : new Uint8Array(frame).buffer)
  }

  /**
   * The buffers to which a record refers, and where its message begins.
   *
   * @throws Nonsense for others than have come.
   */
  take(record: Uint8Array): { buffers: ArrayBuffer[]; start: number } {
    const buffers = this.#buffers
    const start = 2 + buffers.length
    if (record[1] !== buffers.length || record.length < start) throw new Nonsense('A message came without its buffers')
    for (const [i, buffer] of buffers.entries()) new Uint8Array(buffer)[0] = record[2 + i]!
    this.#buffers = []
    this.#bytes = 0
    return { buffers, start }
  }
}
