/**
 * The messages that are appended to an mbox file, each once, and whole.
 *
 * A look reads from behind the last message that was taken to the end of the file. What it finds there:
 *
 *   a message, and behind it a line that separates for sure        it is whole: taken
 *   the last message, or one behind which that is not sure yet     it may be half written: it waits, until more comes, or
 *                                                                  its writer has settled, or it is known to be the last
 *   another file under the name, or none                           the file that was there is read to its end first: it
 *                                                                  is still open. Nobody writes to it any more
 *   a shorter file, or other bytes before the place                it was truncated or rewritten: begin at its start
 *
 * A writer has settled when the file ends with an empty line and has not grown for a while, and nobody holds its
 * dot-lock (`inbox.lock` beside `inbox`). Who rests longer in the middle of a message, right after an empty line, and
 * doesn't lock, has it taken as it is then.
 *
 * Invariant: what was taken ends at `#offset`, and the bytes before that are those of `#landmark`.
 */
import { Buffer } from 'node:buffer'
import type { Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { type RawMessage, readMessages } from '../mbox.js'
import { isDecided, lookAhead } from '../separator.js'

/** What a look finds, in this order: of the file that was there, then of the one that is. */
export type Found =
  | { kind: 'message'; message: RawMessage }
  /** What was told of the file holds no more; all that comes is of the file as it is now. */
  | { kind: 'restarted'; reason: 'truncated' | 'replaced' }
  | { kind: 'gone' }

/** Bytes by which the place is known again. */
const landmarkBytes = 64

/** How long a file must not have grown until its last message counts as whole, in milliseconds. */
export const settlingTime = 500

export class Tail {
  readonly #path: string
  readonly #settling: number
  #file: FileHandle | undefined
  #identity = ''
  #offset = 0
  #landmark: Buffer = Buffer.alloc(0)
  /** Where the file ended, and when that was seen first. */
  #end = { at: -1, since: 0 }
  #settlesAt: number | undefined

  constructor(path: string, settling = settlingTime) {
    this.#path = path
    this.#settling = settling
  }

  /** Which file it reads, whatever its name is by now; '' while there is none. */
  get identity(): string {
    return this.#identity
  }

  /** When to look again although nothing changes: the last message will count as whole then. */
  get settlesAt(): number | undefined {
    return this.#settlesAt
  }

  /**
   * @param now in milliseconds, as `Date.now` gives it
   * @param isLast nobody looks again: the last message counts, whole or not
   */
  async *look(now: number, isLast = false): AsyncGenerator<Found, void, void> {
    const there = await statOrNull(this.#path)
    if (this.#file && (!there || identityOf(there) !== this.#identity)) {
      yield* this.#read(this.#file, now, true)
      await this.close()
      yield there ? { kind: 'restarted', reason: 'replaced' } : { kind: 'gone' }
    }
    this.#file ??= await this.#open()
    if (!this.#file) {
      // It went away in this moment.
      if (there) yield { kind: 'gone' }
      return
    }
    if (!(await this.#isAsLeft(this.#file))) {
      this.#begin()
      yield { kind: 'restarted', reason: 'truncated' }
    }
    yield* this.#read(this.#file, now, isLast)
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    this.#identity = ''
    this.#begin()
    await file?.close()
  }

  #begin(): void {
    this.#offset = 0
    this.#landmark = Buffer.alloc(0)
    this.#end = { at: -1, since: 0 }
    this.#settlesAt = undefined
  }

  async #open(): Promise<FileHandle | undefined> {
    try {
      const file = await open(this.#path)
      // Of what was opened: the name may lead elsewhere by now.
      this.#identity = identityOf(await file.stat())
      return file
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async #isAsLeft(file: FileHandle): Promise<boolean> {
    return this.#landmark.equals(await readAt(file, this.#offset - this.#landmark.length, this.#landmark.length))
  }

  async *#read(file: FileHandle, now: number, isLast: boolean): AsyncGenerator<Found, void, void> {
    const { size, mtimeMs } = await file.stat()
    // At most two: the last one, and one whose end is not sure.
    let waiting: RawMessage[] = []
    try {
      for await (const message of readMessages(file, { start: this.#offset, end: size })) {
        if (isDecided(await readAt(file, message.offset, lookAhead))) {
          yield* this.#take(waiting)
          waiting = []
        }
        waiting.push(message)
      }
      if (isLast || (await this.#hasSettled(file, waiting, now, mtimeMs))) yield* this.#take(waiting)
    } finally {
      const start = Math.max(0, this.#offset - landmarkBytes)
      this.#landmark = await readAt(file, start, this.#offset - start)
    }
  }

  *#take(messages: RawMessage[]): Generator<Found, void, void> {
    for (const message of messages) {
      this.#offset = message.offset + message.size
      yield { kind: 'message', message }
    }
  }

  async #hasSettled(file: FileHandle, waiting: RawMessage[], now: number, written: number): Promise<boolean> {
    this.#settlesAt = undefined
    const last = waiting.at(-1)
    if (!last) return false
    const end = last.offset + last.size
    // What is there at the first look may have been there for long.
    if (end !== this.#end.at) this.#end = { at: end, since: this.#end.at < 0 ? Math.min(now, written) : now }
    if (!endsWithEmptyLine(await readAt(file, Math.max(0, end - 3), Math.min(3, end)))) return false
    const settles = this.#end.since + this.#settling
    if (now >= settles && !(await statOrNull(`${this.#path}.lock`))) return true
    // For the end of a lock there is no time.
    this.#settlesAt = now < settles ? settles : undefined
    return false
  }
}

/** Which file it is, under whatever name. */
export const identityOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

function endsWithEmptyLine(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  return text.endsWith('\n\n') || text.endsWith('\n\r\n')
}
