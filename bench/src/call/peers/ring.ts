/**
 * One direction of the bare ring: what two threads can do that share memory and exchange records of numbers, nothing
 * else. No values but numbers, no errors, no ends of threads.
 *
 * One thread writes, one reads. `TAIL` counts the records that were written, `HEAD` those that were read; a record is
 * published by storing `TAIL`, and its place may be used again once `HEAD` has passed it. A reader that finds nothing
 * spins a little, then sleeps: it stores `ASLEEP`, looks once more, and waits for `ASLEEP` to change. A writer stores
 * `TAIL` and then looks at `ASLEEP`: one of the two sees the other.
 */
const [TAIL, HEAD, ASLEEP] = [0, 16, 32] // words, in cache lines of their own
const FIRST = 24 // the first record's first number
const RECORDS = 256
const NUMBERS = 4

/**
 * Milliseconds that a reader spins: longer than waking takes, or two that call each other would sleep by turns; and so
 * long that the system sees that they need two processors, where it has put both on one.
 */
const SPIN = 1

export const RING_BYTES = (FIRST + RECORDS * NUMBERS) * 8

export class Ring {
  /** The record that was read last. */
  kind = 0
  id = 0
  x = 0
  y = 0

  readonly #words: Int32Array
  readonly #numbers: Float64Array
  #written = 0
  #read = 0
  #readable = 0

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
    this.#numbers = new Float64Array(memory)
  }

  /** Publishes a record. True where that had to wake the reader. */
  write(kind: number, id: number, x: number, y: number): boolean {
    const words = this.#words
    while (((this.#written - Atomics.load(words, HEAD)) | 0) >= RECORDS);
    const at = FIRST + (this.#written & (RECORDS - 1)) * NUMBERS
    const numbers = this.#numbers
    numbers[at] = kind
    numbers[at + 1] = id
    numbers[at + 2] = x
    numbers[at + 3] = y
    this.#written = (this.#written + 1) | 0
    Atomics.store(words, TAIL, this.#written)
    if (Atomics.load(words, ASLEEP) === 0 || Atomics.compareExchange(words, ASLEEP, 1, 0) === 0) return false
    Atomics.notify(words, ASLEEP)
    return true
  }

  /** Reads the next record, if there is one. */
  read(): boolean {
    if (this.#read === this.#readable) {
      Atomics.store(this.#words, HEAD, this.#read)
      this.#readable = Atomics.load(this.#words, TAIL)
      if (this.#read === this.#readable) return false
    }
    const at = FIRST + (this.#read & (RECORDS - 1)) * NUMBERS
    const numbers = this.#numbers
    this.kind = numbers[at]!
    this.id = numbers[at + 1]!
    this.x = numbers[at + 2]!
    this.y = numbers[at + 3]!
    this.#read = (this.#read + 1) | 0
    return true
  }

  /** Spins until there is something to read, but not for long. */
  spin(): boolean {
    const until = performance.now() + SPIN
    do {
      for (let i = 0; i < 100; i++) if (Atomics.load(this.#words, TAIL) !== this.#read) return true
    } while (performance.now() < until)
    return false
  }

  /** Blocks until there is something to read. */
  sleep(): void {
    if (this.#fallAsleep()) Atomics.wait(this.#words, ASLEEP, 1)
  }

  /** Resolves when there is something to read. */
  async wait(): Promise<void> {
    if (this.#fallAsleep()) await Atomics.waitAsync(this.#words, ASLEEP, 1).value
  }

  #fallAsleep(): boolean {
    Atomics.store(this.#words, ASLEEP, 1)
    if (Atomics.load(this.#words, TAIL) === this.#read) return true
    Atomics.store(this.#words, ASLEEP, 0)
    return false
  }
}

/** What a record is: a call of `add`, the answer to any, a call that calls the caller back. */
export const [ADD, ANSWER, CALL_BACK] = [0, 1, 2]
