/** A module whose exports are served: iterators, streams, moved buffers, signals and errors of another thread. */
import { EventEmitter, on } from 'node:events'
import { ApartmentThreaded, disconnect, Interleaved, registerCodec, transfer } from '@flatshare/apartment'

/** Registered under one name by the threads that share it. */
export class Money {
  readonly #cents: number
  constructor(
    cents: number,
    readonly currency: string,
  ) {
    this.#cents = cents
  }
  get cents(): number {
    return this.#cents
  }
  plus(other: Money): Money {
    return new Money(this.#cents + other.#cents, this.currency)
  }
}

/** Has no codec of its own. */
export class Tip extends Money {}

/** Encodes what has a codec itself. */
export class Purse {
  constructor(readonly coins: readonly Money[]) {}
}

export function registerMoney(): void {
  registerCodec(Money, {
    name: 'Money',
    encode: ({ cents, currency }) => [cents, currency] as const,
    decode: ([cents, currency]) => new Money(cents, currency),
  })
  registerCodec(Purse, {
    name: 'Purse',
    encode: ({ coins }) => coins,
    decode: (coins: readonly Money[]) => new Purse(coins),
  })
}
registerMoney()

/** Known to its own thread only. */
class Local {}
export const knowLocal = (): void => registerCodec(Local, { name: 'Local', encode: () => 1, decode: () => new Local() })

class Fragile {}
registerCodec(Fragile, {
  name: 'Fragile',
  encode: () => {
    throw new RangeError('broken')
  },
  decode: () => new Fragile(),
})

export interface Row {
  id: number
  read?: () => number
}

@ApartmentThreaded()
export class Source {
  readonly log: unknown[] = []
  #emitter = new EventEmitter()
  #busy = 0
  most = 0

  /** Counts, and notes each number before it gives it. */
  async *count(to: number): AsyncGenerator<number, string, unknown> {
    try {
      for (let i = 1; i <= to; i++) {
        this.log.push(i)
        yield i
      }
      return 'counted'
    } finally {
      this.log.push('end')
    }
  }

  /** The same, each in a turn of its own. */
  async *slowCount(to: number): AsyncGenerator<number> {
    try {
      for (let i = 1; i <= to; i++) {
        await new Promise((resolve) => setImmediate(resolve))
        this.log.push(i)
        yield i
      }
    } finally {
      this.log.push('end')
    }
  }

  *plainCount(to: number): Generator<number> {
    try {
      for (let i = 1; i <= to; i++) yield i
    } finally {
      this.log.push('end')
    }
  }

  async *failing(after: number): AsyncGenerator<number> {
    for (let i = 1; i <= after; i++) yield i
    throw new RangeError('failed on purpose')
  }

  async *echo(): AsyncGenerator<unknown, unknown, unknown> {
    let given: unknown = 'ready'
    for (;;) {
      try {
        given = yield given
      } catch (error) {
        given = ['caught', (error as Error).message]
      }
    }
  }

  /** Gives a few at once, then waits for what never comes. */
  @Interleaved() async *fewThenNothing(): AsyncGenerator<number> {
    yield 1
    yield 2
    yield 3
    yield 4
    await new Promise(() => {})
  }

  @Interleaved() async *dependents(): AsyncGenerator<unknown> {
    yield { deep: [(x: number) => x + 1, new Money(3, 'EUR')] }
    yield transfer(new Uint8Array([1, 2, 3]))
  }

  async *uncrossable(): AsyncGenerator<unknown> {
    try {
      yield 1
      yield new WeakMap()
    } finally {
      this.log.push('end')
    }
  }

  /** Gives one and the same object again and again, changed meanwhile; every third time with a function. */
  async *rows(to: number, withFunctions = false): AsyncGenerator<Row> {
    const row: Row = { id: 0 }
    for (let i = 1; i <= to; i++) {
      row.id = i
      if (withFunctions && i % 3 === 0) row.read = () => i
      else delete row.read
      yield row
    }
  }

  /** Ends, after so many good items, with one that can't cross, as an item or as its result. */
  async *goodThen(good: number, last: 'item' | 'deep item' | 'port' | 'result'): AsyncGenerator<unknown, unknown> {
    for (let i = 0; i < good; i++) yield i
    if (last === 'item') yield Symbol('bad')
    if (last === 'deep item') yield { deep: [Symbol('bad')] }
    if (last === 'port') yield { port: new MessageChannel().port1 }
    return last === 'result' ? Symbol('bad') : undefined
  }

  /** An iterator by hand, whose `return` ends a step that waits. */
  changes(): AsyncIterableIterator<unknown[]> {
    return on(this.#emitter, 'change') as AsyncIterableIterator<unknown[]>
  }
  change(value: unknown): number {
    this.#emitter.emit('change', value)
    return this.#emitter.listenerCount('change')
  }
  listeners(): number {
    return this.#emitter.listenerCount('change')
  }

  /** Iterable again and again. */
  iterable(): { numbers: AsyncIterable<number> } {
    const { log } = this
    return {
      numbers: {
        async *[Symbol.asyncIterator]() {
          log.push('begin')
          yield* [1, 2, 3]
        },
      },
    }
  }

  /** Awaits between looking and changing: wrong if another call comes between. */
  async *steps(): AsyncGenerator<number> {
    for (;;) yield await this.busy()
  }
  async busy(): Promise<number> {
    this.most = Math.max(this.most, ++this.#busy)
    await new Promise((resolve) => setImmediate(resolve))
    this.#busy--
    return this.most
  }

  seen(): unknown[] {
    return this.log
  }
  logOnceDisconnected(): () => unknown[] {
    disconnect(this)
    return () => this.log
  }

  /** Takes so many of what it is given, then stops. */
  async take(items: AsyncIterable<unknown>, most: number): Promise<unknown[]> {
    const taken: unknown[] = []
    for await (const item of items) {
      taken.push(item)
      if (taken.length >= most) break
    }
    return taken
  }

  async takeDeep(request: { from: { items: AsyncIterable<unknown> }[] }): Promise<unknown[]> {
    return this.take(request.from[0]!.items, 1e9)
  }

  /** Takes one, and ends its thread. */
  async takeAndExit(items: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of items) process.exit(0)
  }

  kept: any
  keep(x: unknown): void {
    this.kept = x
  }
  back(): unknown {
    return this.kept
  }
  same(x: unknown): boolean {
    return x === this.kept
  }
  async keptNext(): Promise<unknown> {
    return this.kept.next()
  }
  async pass(
    to: { take(items: AsyncIterable<unknown>, most: number): Promise<unknown[]> },
    most: number,
  ): Promise<unknown> {
    return to.take(this.kept, most)
  }
}

@ApartmentThreaded()
export class Streams {
  reason: unknown
  written: unknown[] = []
  #readable: ReadableStreamDefaultController<unknown> | undefined
  #writable: WritableStreamDefaultController | undefined
  #taken: (() => void)[] = []
  pulled = 0

  numbers(to: number): ReadableStream<number> {
    let next = 1
    return new ReadableStream(
      {
        pull: (controller) => {
          this.pulled++
          if (next > to) controller.close()
          else controller.enqueue(next++)
        },
        cancel: (reason) => {
          this.reason = reason
        },
      },
      { highWaterMark: 0 },
    )
  }
  /** Gives one and the same object again and again, changed meanwhile. */
  rows(to: number): ReadableStream<{ id: number }> {
    const row = { id: 0 }
    return new ReadableStream(
      {
        pull(controller) {
          row.id++
          if (row.id > to) controller.close()
          else controller.enqueue(row)
        },
      },
      { highWaterMark: 0 },
    )
  }
  bytes(): ReadableStream<Uint8Array> {
    let left = 3
    return new ReadableStream({
      type: 'bytes',
      pull(controller) {
        if (left === 0) {
          controller.close()
          controller.byobRequest?.respond(0)
        } else controller.enqueue(new Uint8Array(4).fill(left--))
      },
    })
  }
  open(): ReadableStream<unknown> {
    return new ReadableStream({
      start: (controller) => {
        this.#readable = controller
      },
      cancel: (reason) => {
        this.reason = reason
      },
    })
  }
  enqueue(x: unknown): void {
    this.#readable!.enqueue(x)
  }
  failReadable(): void {
    this.#readable!.error(new RangeError('failed on purpose'))
  }

  /** Keeps what is written; with `held` each chunk waits until it is let through. */
  sink(held = false): WritableStream<unknown> {
    return new WritableStream({
      start: (controller) => {
        this.#writable = controller
      },
      write: async (chunk) => {
        this.written.push(chunk)
        if (held) await new Promise<void>((resolve) => this.#taken.push(resolve))
      },
      close: () => {
        this.written.push('closed')
      },
      abort: (reason) => {
        this.reason = reason
      },
    })
  }
  /** Fails at one of the chunks. */
  failingSink(at: unknown): WritableStream<unknown> {
    return new WritableStream({
      write: (chunk) => {
        if (chunk === at) throw new RangeError(`failed at ${String(at)}`)
        this.written.push(chunk)
      },
    })
  }
  letThrough(): number {
    for (const taken of this.#taken.splice(0)) taken()
    return this.written.length
  }
  failWritable(): void {
    this.#writable!.error(new RangeError('failed on purpose'))
  }

  async collect(stream: ReadableStream<unknown>): Promise<unknown[]> {
    const all: unknown[] = []
    for await (const x of stream as unknown as AsyncIterable<unknown>) all.push(x)
    return all
  }
  async fill(stream: WritableStream<unknown>, chunks: unknown[]): Promise<void> {
    const writer = stream.getWriter()
    for (const chunk of chunks) await writer.write(chunk)
    await writer.close()
  }
  double(): TransformStream<number, number> {
    return new TransformStream({ transform: (x, controller) => controller.enqueue(x * 2) })
  }
  kept: unknown
  keep(x: unknown): void {
    this.kept = x
  }
  back(): unknown {
    return this.kept
  }
  state(): { reason: unknown; written: unknown[]; pulled: number } {
    return { reason: this.reason, written: this.written, pulled: this.pulled }
  }
  exit(): never {
    process.exit(0)
  }
}

// ── transfer ────────────────────────────────────────────────────────────────────────────────

let buffer: ArrayBuffer | undefined
export function make(bytes: number): Uint8Array {
  const made = new Uint8Array(bytes).fill(7)
  buffer = made.buffer
  return transfer(made)
}
export const bytesLeft = (): number => buffer!.byteLength
export function sum({ nested: [{ pixels }] }: { nested: [{ pixels: Uint8Array }] }): number {
  return pixels.reduce((a, b) => a + b, 0)
}
export function speak(port: MessagePort, text: string): void {
  port.postMessage(text)
  port.close()
}

// ── class instances ─────────────────────────────────────────────────────────────────────────

export const addMoney = (a: Money, b: { more: Map<string, Money> }): Money => a.plus(b.more.get('x')!)
export const kindOf = (x: object): string => x.constructor.name
export const purse = (): Purse => new Purse([new Money(1, 'EUR'), new Tip(2, 'EUR')])
export const local = (): object => ({ deep: [new Local()] })
export const fragile = (): object => new Fragile()
export const echo = (x: unknown): unknown => x

// ── errors ──────────────────────────────────────────────────────────────────────────────────

export class LedgerError extends Error {
  constructor(
    message: string,
    readonly at: Money,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
Object.defineProperty(LedgerError.prototype, 'name', { value: 'LedgerError' })

export function throwNested(): never {
  const inner = new AggregateError([new LedgerError('first', new Money(5, 'EUR')), 'second', null], 'several')
  throw new LedgerError('outer', new Money(9, 'EUR'), { cause: new AggregateError([inner], 'wrapped') })
}
export function throwThis(what: 'symbol' | 'null' | 'zero' | 'object' | 'function' | 'getter'): never {
  const thrown: Record<typeof what, unknown> = {
    symbol: Symbol('thrown'),
    null: null,
    zero: 0,
    object: { deep: [new Money(1, 'EUR')] },
    function: (x: number) => x + 1,
    getter: Object.defineProperty(new Error('told'), 'hostile', {
      enumerable: true,
      get() {
        throw new Error('no')
      },
    }),
  }
  throw thrown[what]
}

// ── signals ─────────────────────────────────────────────────────────────────────────────────

let signal: AbortSignal
export function keepSignal(given: AbortSignal): void {
  signal = given
}
export const signalBack = (): AbortSignal => signal
export const isSignal = (given: AbortSignal): boolean => given === signal
export const signalState = (): [boolean, unknown] => [signal.aborted, signal.reason]
const controller = new AbortController()
export const ownSignal = (): AbortSignal => controller.signal
export const abortOwn = (reason: unknown): void => controller.abort(reason)

export const unclonableResult = (): unknown => ({ a: new WeakMap() })
