/**
 * Writes to the descriptor of a stream at once, which takes less time than the stream does, and never hands anything to the
 * event loop that a thread which blocks then couldn't send.
 *
 *   empty → waiting   the descriptor takes no more: what is left waits here; it is tried again in each turn of the event
 *                     loop for a millisecond, then after 1, 2, 4 … 16 ms, by every `send`, by every `write`, and, before
 *                     the process exits, for as long as the other side goes on reading
 *   waiting → empty   all is written
 *   any → stopped     by its owner, or because writing fails
 *
 * Invariant: the descriptor is asked for at each use, as its number means something else once the stream is closed.
 */
import { writevSync } from 'node:fs'
import { FlatshareError } from '@flatshare/core'
import { clock } from '@flatshare/core/internal'

/** Milliseconds for which it is tried again in each turn of the event loop. */
const EAGER = 1
const LONGEST_PAUSE = 16
/** Milliseconds of a nap between two of those tries: the other side may need the processor to read. */
const NAP = 0.05
/** Milliseconds without any progress after which an exiting process gives up. */
const LAST_PATIENCE = 500
/** How many pieces the system takes at once. */
const MOST_PIECES = 1024
/** While the descriptor takes nothing, no more than these are tried before their time. */
const FEW_PIECES = 16

const nothing = new Int32Array(new SharedArrayBuffer(4))

/** Whether the descriptor only has nothing, or takes nothing, at the moment. */
export function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EWOULDBLOCK'
}

export interface DirectWriterOwner {
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

  send(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.waits += piece.length
    }
    // Each attempt names all that wait: in vain, as long as the descriptor takes nothing.
    if (this.#cancelRetry && this.#pieces.length > FEW_PIECES) return
    this.write()
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
      const descriptor = this.owner.descriptor()
      try {
        if (descriptor === -1) throw new FlatshareError('It is closed.')
        this.#written(writevSync(descriptor, this.#pieces.slice(0, MOST_PIECES)))
      } catch (error) {
        if (isBusy(error)) return true
        this.stop()
        this.owner.onBroken(error as Error)
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
    if (this.#stalled < EAGER) {
      const before = clock()
      const retry = setImmediate(() => {
        Atomics.wait(nothing, 0, 0, NAP)
        this.#tryAgain(clock() - before)
      })
      this.#cancelRetry = () => clearImmediate(retry)
    } else {
      const pause = Math.min(Math.ceil(this.#stalled), LONGEST_PAUSE)
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
