/**
 * Events of one name that follow each other and whose payloads have one shape: kept by columns from the moment of raising,
 * so that a flood of them makes no objects, and is sent as it stands.
 *
 *   open     takes the next event, if it is alike
 *   closed   another one came between, it is full, or some of it is sent; it never changes any more, but for an event whose
 *            reading has closed it
 *
 * Queues hold *parts* of a run. As it closes with the first that is sent, several sinks are sent the same parts, and what
 * all have heard of is soon let go.
 */
import { keepOne } from './kept-shapes.js'
import { type EventCount, isPrimitive, type Keys, shapeOfPayload } from './raised-event.js'

/** All values of one key: numbers, others, or one that all are. */
export type Column = Float64Array | Int32Array | readonly unknown[] | { readonly all: unknown }

/** So many events: a batch of a few small columns fits into a record of a link's ring. */
const MOST = 2_048
const FEW = 64

/** A column that grows: of one value, then of numbers, then of anything. */
class OpenColumn {
  readonly #first: unknown
  #numbers: Float64Array | undefined
  #values: unknown[] | undefined

  constructor(first: unknown) {
    this.#first = first
  }

  /** Sets the value at the end, which is at `length`. */
  add(value: unknown, length: number): void {
    if (this.#numbers !== undefined && typeof value === 'number') {
      if (length === this.#numbers.length) this.#numbers = grown(this.#numbers)
      this.#numbers[length] = value
    } else if (this.#values !== undefined) this.#values[length] = value
    else if (this.#numbers !== undefined || !Object.is(value, this.#first)) this.#widen(value, length)
  }

  #widen(value: unknown, length: number): void {
    if (this.#numbers !== undefined) {
      this.#values = [...this.#numbers.subarray(0, length), value]
      this.#numbers = undefined
    } else if (typeof value === 'number' && typeof this.#first === 'number') {
      this.#numbers = new Float64Array(length < FEW ? FEW : MOST).fill(this.#first, 0, length)
      this.#numbers[length] = value
    } else {
      this.#values = new Array<unknown>(length).fill(this.#first)
      this.#values.push(value)
    }
  }

  slice(from: number, to: number): Column {
    if (this.#numbers) return narrowed(this.#numbers.subarray(from, to))
    return this.#values?.slice(from, to) ?? { all: this.#first }
  }
}

/** In half the memory, where that loses nothing. */
function narrowed(numbers: Float64Array): Float64Array | Int32Array {
  const integers = new Int32Array(numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!
    if (!Object.is(number, number | 0)) return numbers.slice()
    integers[i] = number
  }
  return integers
}

function grown(numbers: Float64Array): Float64Array {
  const more = new Float64Array(MOST)
  more.set(numbers)
  return more
}

export class RaisedRun {
  readonly event: string
  /** Undefined for payloads that are primitive values themselves. */
  readonly shape: Keys | undefined
  readonly first: number
  readonly #columns: OpenColumn[]
  #sequences: number[] | undefined
  #length = 1
  #closed = false
  /** Reading a payload may run code of users, which may raise. */
  #adding = false

  private constructor(event: string, shape: Keys | undefined, values: readonly unknown[], sequence: number) {
    this.event = event
    this.shape = shape
    this.first = sequence
    this.#columns = values.map((value) => new OpenColumn(value))
  }

  /** A run that begins with this event; undefined where its payload is neither primitive nor a plain object of such. */
  static of(event: string, payload: unknown, count: EventCount): RaisedRun | undefined {
    if (isPrimitive(payload)) return new RaisedRun(event, undefined, [payload], ++count.last)
    const flat = shapeOfPayload(payload as object)
    return flat && new RaisedRun(event, flat.shape, flat.values, ++count.last)
  }

  get length(): number {
    return this.#length
  }

  /** How many more events it may take. */
  get room(): number {
    return MOST - this.#length
  }

  get isClosed(): boolean {
    return this.#closed
  }

  close(): void {
    this.#closed = true
  }

  /** Takes the event as the next one, if it is alike and there is room. */
  add(event: string, payload: unknown, count: EventCount): boolean {
    if (this.#closed || event !== this.event || this.#length === MOST || this.#adding) return false
    this.#adding = true
    try {
      if (!this.#takes(payload)) return false
    } finally {
      this.#adding = false
    }
    const sequence = ++count.last
    if (this.#sequences !== undefined) this.#sequences.push(sequence)
    else if (sequence !== this.first + this.#length) {
      this.#sequences = Array.from({ length: this.#length }, (_, i) => this.first + i)
      this.#sequences.push(sequence)
    }
    this.#length++
    return true
  }

  /** Puts the values behind the last ones; those of a payload that turns out to be unlike are overwritten by the next. */
  #takes(payload: unknown): boolean {
    const keys = this.shape
    if (keys === undefined) {
      if (!isPrimitive(payload)) return false
      this.#columns[0]!.add(payload, this.#length)
      return true
    }
    if (typeof payload !== 'object' || payload === null) return false
    // Says nothing; but engines that have read a member know the prototype without a call.
    if (payload.constructor !== Object) return false
    if (Object.getPrototypeOf(payload) !== Object.prototype) return false
    let i = 0
    // Engines have the keys of a `for … in` at hand, and their places in the object.
    for (const key in payload) {
      if (key !== keys[i]) return false
      const value = (payload as Record<string, unknown>)[key]
      if (!isPrimitive(value)) return false
      this.#columns[i++]!.add(value, this.#length)
    }
    return i === keys.length
  }

  columns(from: number, to: number): Column[] {
    return this.#columns.map((column) => column.slice(from, to))
  }

  /** The sequence numbers, where they don't follow one another. */
  gaps(from: number, to: number): Float64Array | undefined {
    return this.#sequences && Float64Array.from(this.#sequences.slice(from, to))
  }
}

/** Some of the events of a run. */
export class RunPart {
  constructor(
    readonly run: RaisedRun,
    public from: number,
    public to: number,
  ) {}

  get length(): number {
    return this.to - this.from
  }
}

keepOne(new RunPart(RaisedRun.of('', '', { last: 0 })!, 0, 0))
