/**
 * Reads from the descriptor of a stream, below the stream: what comes isn't copied, queued, and told of by events, which
 * takes longer than most calls do. The event loop reads into one buffer, the same for all streams of this thread; a thread
 * that blocks reads without the event loop.
 *
 * For that the stream's handle is taken over by a socket that reads into a given buffer, as it is only its maker who can say
 * that of a socket. The stream that had it is destroyed with that socket.
 *
 * Invariants: what was read into a buffer is taken before anything else is read into that; a descriptor is asked of the
 * handle at each use, as its number means something else once that is closed.
 */
import { readSync } from 'node:fs'
import { Socket, type SocketConstructorOpts } from 'node:net'
import { isBusy } from './direct-writer.js'

/** What is read at once. */
const READ_BYTES = 1 << 16

interface Handle {
  readonly fd?: number
  reading: boolean
  readStop(): void
}

interface WithHandle {
  _handle?: Handle | null
}

export interface DirectReaderOwner {
  /** Whether more shall be read now. */
  readonly takes: boolean
  /** Takes bytes, which are there until it returns. */
  take(bytes: Uint8Array): void
  /** Where the next bytes belong, if they have a place of their own. */
  readonly place: Uint8Array | undefined
  /** So many bytes have come to that place. */
  filled(bytes: number): void
  /** All was read that has come of a long frame. */
  emptied(): void
  /** Nothing comes any more. */
  ended(error?: Error): void
}

/** Into that the event loop reads. */
let shared: Buffer | undefined
/** Buffers for those who read without it, one for each that has read and not taken yet. */
const spares: Buffer[] = []

/** The descriptor of a socket that is open, and that may be read and written without its stream; else -1. */
export function descriptorOf(socket: Socket): number {
  if (process.platform === 'win32' || 'encrypted' in socket) return -1
  return (socket as WithHandle)._handle?.fd ?? -1
}

export class DirectReader {
  /** What reads from now on. */
  readonly socket: Socket
  readonly #owner: DirectReaderOwner

  /** Takes over a stream that has a descriptor. What it has read already must have been taken from it. */
  constructor(stream: Socket, owner: DirectReaderOwner) {
    this.#owner = owner
    const handle = (stream as WithHandle)._handle!
    handle.readStop()
    handle.reading = false
    ;(stream as WithHandle)._handle = null
    shared ??= Buffer.allocUnsafeSlow(READ_BYTES)
    this.socket = new Socket({
      handle,
      onread: {
        buffer: shared,
        callback: (length: number, bytes: Buffer) => {
          this.#came(bytes, length)
          return true
        },
      },
    } as SocketConstructorOpts)
    this.socket.on('close', () => stream.destroy())
  }

  #came(bytes: Uint8Array, length: number): void {
    const owner = this.#owner
    owner.take(bytes.subarray(0, length))
    // The rest of a long frame need not be copied.
    for (let place = owner.place; place && owner.takes; place = owner.place) if (!this.#fill(place)) return
  }

  /** Reads to where it belongs; gives whether there may be more. */
  #fill(place: Uint8Array): boolean {
    const length = this.#read(place)
    const owner = this.#owner
    if (length > 0) owner.filled(length)
    if (length === place.length) return true
    if (owner.takes) owner.emptied()
    return false
  }

  #read(into: Uint8Array): number {
    const descriptor = descriptorOf(this.socket)
    if (descriptor === -1) return 0
    try {
      const length = readSync(descriptor, into, 0, into.length, null)
      if (length === 0) this.#owner.ended()
      return length
    } catch (error) {
      if (!isBusy(error)) this.#owner.ended(error as Error)
      return 0
    }
  }

  /** Reads what has come, without the event loop. */
  drain(): void {
    const owner = this.#owner
    while (owner.takes) {
      const { place } = owner
      if (!(place ? this.#fill(place) : this.#readPiece())) return
    }
  }

  #readPiece(): boolean {
    const spare = spares.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES)
    const length = this.#read(spare)
    if (length > 0) this.#owner.take(spare.subarray(0, length))
    spares.push(spare)
    return length === READ_BYTES
  }
}
