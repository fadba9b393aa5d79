/**
 * Reads the messages of an mbox file by byte range, so that several threads can share one file.
 *
 * A message belongs to the range in which its separator line starts. Wherever ranges that cover the file are cut,
 * in a line or in the middle of a CRLF, every message comes out once. The file is read in chunks; in memory is one
 * message and one chunk.
 */
import { Buffer } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { unescapeFrom } from './from-escaping.js'
import { isSeparator, lookAhead, lookBehind } from './separator.js'

/** Bytes `start` up to, not including, `end`. */
export interface ByteRange {
  start: number
  end: number
}

export interface RawMessage {
  /** Where in the file its separator line starts. */
  offset: number
  /** Bytes in the file, up to the next separator line. The sizes of all messages add up to the file's. */
  size: number
  /** The message itself, without separator line and escaping; null where it is larger than the limit. */
  bytes: Uint8Array<ArrayBuffer> | null
}

export interface ReadOptions {
  /** Bytes to read at a time. */
  chunkSize?: number
  /** Messages larger than this are only measured. */
  limit?: number
}

const messageLimit = 128 * 1024 * 1024

/** Cuts `size` bytes into `count` ranges of nearly equal length. */
export function splitRanges(size: number, count: number): ByteRange[] {
  const cut = (index: number) => Math.floor((size / count) * index)
  return Array.from({ length: count }, (_, index) => ({
    start: cut(index),
    end: index === count - 1 ? size : cut(index + 1),
  }))
}

const LF = 0x0a
const CR = 0x0d
const separator = Buffer.from('\nFrom ')

/** The messages whose separator lines start in the range, in the order of the file. */
export async function* readMessages(
  file: FileHandle,
  { start, end }: ByteRange,
  { chunkSize = 1024 * 1024, limit = messageLimit }: ReadOptions = {},
): AsyncGenerator<RawMessage, void, void> {
  const view = new SlidingView(file, start, chunkSize)
  let offset = -1 // of the message being read; -1 before the first
  let search = 0 // where in the view to look next

  const finish = (until: number): RawMessage => {
    const size = view.offset + until - offset
    if (size > limit) return { offset, size, bytes: null }
    return { offset, size, bytes: unescapeFrom(withoutEnvelope(view.bytes.subarray(until - size, until))) }
  }

  for (;;) {
    const hit = view.bytes.indexOf(separator, search)
    const line = hit + 1
    if (hit >= 0 && (view.atEnd || view.bytes.length - line >= lookAhead)) {
      search = line
      const found = view.offset + line
      if (found < start || !isSeparator(view.bytes, line)) continue
      if (offset >= 0) yield finish(line)
      if (found >= end) return
      offset = found
      continue
    }
    if (view.atEnd) break
    search = hit >= 0 ? hit : Math.max(search, view.bytes.length - separator.length + 1)
    if (offset < 0 && view.offset + search >= end) return
    const wanted = offset >= 0 && view.offset + view.bytes.length - offset <= limit
    const needed = wanted ? Math.min(search, offset - view.offset) : search
    search -= await view.advance(Math.max(0, needed - lookBehind))
  }
  if (offset >= 0) yield finish(view.bytes.length)
}

/** Takes the separator line away, and the blank line that ends a message in an mbox. */
function withoutEnvelope(message: Buffer): Buffer {
  const lineEnd = message.indexOf(LF)
  if (lineEnd < 0) return message.subarray(message.length)
  // The separator line's own end stays in view: it is what precedes an empty message's blank line.
  let length = message.length
  if (message[length - 1] === LF) {
    const before = message[length - 2] === CR ? length - 2 : length - 1
    if (before > lineEnd && message[before - 1] === LF) length = before
  }
  return message.subarray(lineEnd + 1, length)
}

/** A window over a file that moves forward only, and grows for what the reader still needs. */
class SlidingView {
  readonly #file: FileHandle
  readonly #chunkSize: number
  #memory: Buffer
  /** What is in view. */
  bytes: Buffer
  /** Where in the file the view begins. It begins before the file where two line ends stand in for a blank line. */
  offset: number
  atEnd = false

  constructor(file: FileHandle, start: number, chunkSize: number) {
    this.#file = file
    this.#chunkSize = chunkSize
    this.#memory = Buffer.alloc(lookBehind, LF)
    this.offset = Math.max(-2, start - lookBehind)
    this.bytes = this.#memory.subarray(0, Math.max(0, -this.offset))
  }

  /** Drops `count` bytes in front, reads a chunk behind, and says how many bytes it dropped. */
  async advance(count: number): Promise<number> {
    const kept = this.bytes.subarray(count)
    const room = kept.length + this.#chunkSize
    // Doubling keeps the copying of a large message linear; a view that has outlived one is given back.
    const resize = room > this.#memory.length || this.#memory.length > 4 * (room + lookAhead)
    const memory = resize ? Buffer.allocUnsafeSlow(2 * room) : this.#memory
    memory.set(kept)
    this.#memory = memory
    this.offset += count
    const { bytesRead } = await this.#file.read(memory, kept.length, this.#chunkSize, this.offset + kept.length)
    this.atEnd = bytesRead === 0
    this.bytes = memory.subarray(0, kept.length + bytesRead)
    return count
  }
}
