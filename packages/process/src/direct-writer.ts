/**
 * Writes to the descriptor of a stream at once, which takes less time than the stream does, and never hands anything to the
 * event loop that a thread which blocks then couldn't send.
 *
 *   empty → waiting   the descriptor takes no more: what is left waits here; it is tried again when the other side has said
 *                     something, by every `send`, by every `write`, and, before the process exits, for as long as the
 *                     other side goes on reading; also in each turn of the event loop for a millisecond, unless the other
 *                     side says when it has read what came of a long frame; then after 1, 2, 4 … 16 ms
 *   waiting → empty   all is written
 *   any → stopped     by its owner, or because writing fails
 *
 * Invariant: the descriptor is asked for at each use, as its number means something else once the stream is closed.
 */
import { writeSync, writevSync } from 'node:fs'
import { FlatshareError } from '@flatshare/core'
import { clock } from '@flatshare/core/internal'
import { COPIED_BYTES, framed, HEADER_BYTES, WORTH_A_PLACE, writeHeader } from './framing.js'

/** Milliseconds for which it is tried again in each turn of the event loop. */
const EAGER = 1
const LONGEST_PAUSE = 16
/** Milliseconds of a nap between two of those tries: the other side may need the processor to read. */
const NAP = 0.05
/** Milliseconds without any progress after which an exiting process gives up. */
const LAST_PATIENCE = 500
/** Below so many bytes a loop copies faster than a call of the runtime. */
const SHORT_COPY = 64
/** How many pieces the system takes at once. */
const MOST_PIECES = 1024
/** While the descriptor takes nothing, no more than these are tried before their time. */
const FEW_PIECES = 16

/** Where a short frame gets its header. */
const short = Buffer.allocUnsafeSlow(HEADER_BYTES + COPIED_BYTES)

const nothing = new Int32Array(new SharedArrayBuffer(4))

/** Whether the descriptor only has nothing, or takes nothing, at the moment. */
export function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EWOULDBLOCK'
}

export interface DirectWriterOwner {
  /** Whether the other side says when it has read what came of a long frame. */
  readonly isTold: boolean
  /** The descriptor; -1 once it is closed. */
  descriptor(): number
  /** Something was written; or nothing waits any more. */
  onWritten(): void
  /** Writing has failed: the other side is gone. */
  onBroken(error: Error): void
  /** Nothing could be written for so many milliseconds. */
  onStalled(milliseconds: number): void
}

/** Writers in which something waits. */
const waiting = new Set<DirectWriter>()
let watchesExit = false

function writeBeforeExit(): void {
  for (const writer of waiting) writer.writeAll()
}

export class DirectWriter {
  /** How many bytes wait. */
  waits = 0
  #pieces: Uint8Array[] = []
  /** How to let the next attempt be, where there will be one. */
  #cancelRetry: (() => void) | undefined
  #stalled = 0
  #stopped = false

  constructor(readonly owner: DirectWriterOwner) {
    // After what others write at the exit: they have asked to hear of it before.
    if (!watchesExit) process.on('exit', writeBeforeExit)
    watchesExit = true
  }

  /** Writes a frame, after all before it. */
  send(frame: Uint8Array): void {
    const { length } = frame
    if (length <= COPIED_BYTES) {
      writeHeader(length, short)
      if (length < SHORT_COPY) for (let i = 0; i < length; i++) short[HEADER_BYTES + i] = frame[i]!
      else short.set(frame, HEADER_BYTES)
      this.#sendShort(HEADER_BYTES + length)
    } else {
      this.#pieces.push(...framed(frame))
      this.waits += HEADER_BYTES + length
      this.#writeSoon()
    }
  }

  #sendShort(length: number): void {
    let written = 0
    if (this.waits === 0 && !this.#stopped) {
      try {
        written = writeSync(this.#descriptor(), short, 0, length)
      } catch (error) {
        if (!isBusy(error)) {
          this.#break(error as Error)
          return
        }
      }
      if (written === length) return
    }
    this.#pieces.push(Buffer.from(short.subarray(written, length)))
    this.waits += length - written
    this.#writeSoon()
  }

  #writeSoon(): void {
    // Each attempt names all that wait: in vain, as long as the descriptor takes nothing.
    if (this.#cancelRetry && this.#pieces.length > FEW_PIECES) return
    this.write()
  }

  #descriptor(): number {
    const descriptor = this.owner.descriptor()
    if (descriptor === -1) throw new FlatshareError('It is closed.')
    return descriptor
  }

  #break(error: Error): void {
    this.stop()
    this.owner.onBroken(error)
  }

  /** Writes as much of what waits as the descriptor takes. */
  write(): void {
    if (this.#stopped || this.waits === 0) return
    const before = this.waits
    if (!this.#writeSome()) return
    if (this.waits > 0) this.#retryLater(this.waits < before)
    else this.#rest()
    this.owner.onWritten()
  }

  /** Gives false where writing has failed. */
  #writeSome(): boolean {
    while (this.waits > 0) {
      try {
        this.#written(writevSync(this.#descriptor(), this.#pieces.slice(0, MOST_PIECES)))
      } catch (error) {
        if (isBusy(error)) return true
        this.#break(error as Error)
        return false
      }
    }
    return true
  }

  #written(bytes: number): void {
    this.waits -= bytes
    let left = bytes
    let whole = 0
    while (whole < this.#pieces.length && left >= this.#pieces[whole]!.length) left -= this.#pieces[whole++]!.length
    this.#pieces.splice(0, whole)
    if (left > 0) this.#pieces[0] = this.#pieces[0]!.subarray(left)
  }

  #retryLater(progress: boolean): void {
    waiting.add(this)
    if (progress) this.#stalled = 0
    else this.owner.onStalled(this.#stalled)
    if (this.#cancelRetry || this.#stopped) return
    if (this.#stalled < EAGER && !(this.owner.isTold && this.#pieces[0]!.length >= WORTH_A_PLACE)) {
      const before = clock()
      const retry = setImmediate(() => {
        Atomics.wait(nothing, 0, 0, NAP)
        this.#tryAgain(clock() - before)
      })
      this.#cancelRetry = () => clearImmediate(retry)
    } else {
      const pause = Math.min(Math.ceil(this.#stalled) || 1, LONGEST_PAUSE)
      const retry = setTimeout(() => this.#tryAgain(pause), pause)
      this.#cancelRetry = () => clearTimeout(retry)
    }
  }

  #tryAgain(waited: number): void {
    this.#cancelRetry = undefined
    this.#stalled += waited
    this.write()
  }

  /** Writes all that waits, as the process exits. */
  writeAll(): void {
    let last = this.waits
    let since = clock()
    while (!this.#stopped && this.waits > 0 && clock() - since < LAST_PATIENCE) {
      if (!this.#writeSome()) return
      if (this.waits < last) since = clock()
      last = this.waits
      Atomics.wait(nothing, 0, 0, NAP)
    }
  }

  #rest(): void {
    waiting.delete(this)
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#stalled = 0
  }

  /** Writes no more; what waits is lost. */
  stop(): void {
    this.#stopped = true
    this.#pieces = []
    this.waits = 0
    this.#rest()
  }
}
