/** A string of 100 characters, in the ways that the tables of strings compare. */
import { FreeThreaded, Shared } from '@flatshare/free-threaded'

/** Texts that differ, so that none is set twice in a row. */
export const texts = Array.from({ length: 16 }, (_, i) =>
  `${i}: ${'The quick brown fox jumps over the dog. '.repeat(3)}`.slice(0, 100),
)

@FreeThreaded()
export class Note {
  @Shared('string') text = ''

  /** As code inside has it: one lock, many fields. */
  setTimes(times: number): void {
    for (let i = 0; i < times; i++) this.text = texts[i & 15]!
  }

  readTimes(times: number): number {
    let length = 0
    for (let i = 0; i < times; i++) length += this.text.length
    return length
  }
}

export class PlainNote {
  text = ''
}

/** What one writes by hand, without a lock: the length in front, then UTF-8. */
export class NoteByHand {
  readonly #length: Int32Array
  readonly #bytes: Uint8Array
  readonly #encoder = new TextEncoder()
  readonly #decoder = new TextDecoder()

  constructor(memory: SharedArrayBuffer) {
    this.#length = new Int32Array(memory, 0, 1)
    this.#bytes = new Uint8Array(memory, 4)
  }

  get text(): string {
    // A copy, since browsers don't decode shared memory.
    return this.#decoder.decode(this.#bytes.slice(0, this.#length[0]))
  }

  set text(text: string) {
    const bytes = this.#encoder.encode(text)
    this.#bytes.set(bytes)
    this.#length[0] = bytes.length
  }
}
