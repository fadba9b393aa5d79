/** A thread that dies at some moment, with calls of every kind pending in both directions. */
import { ApartmentThreaded, blocking, callWith, Interleaved, type Remote } from '@flatshare/apartment'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Ways to end of its own; `terminate` is done to it. */
export type Death = 'exit' | 'throw' | 'rejection' | 'memory' | 'in a call' | 'in a microtask'

export class MortalError extends Error {}

/** Unbounded calls of another thread that this one blocks on, or awaits. */
export interface Lasting {
  /** Settles when the call is given up. */
  wait(): Promise<string>
  callBack(callback: () => unknown): Promise<unknown>
  now(): number
}

function die(how: Death): void {
  if (how === 'exit') process.exit(1)
  if (how === 'memory') for (const kept: unknown[] = []; ; ) kept.push(new Array(1000).fill({}))
  if (how === 'rejection') void Promise.reject(new MortalError(how))
  else throw new MortalError(how)
}

@ApartmentThreaded()
export class Mortal {
  /** Ends its thread after so many turns of the event loop. */
  @Interleaved() async dieAfter(turns: number, how: Death): Promise<void> {
    if (how === 'in a call') {
      for (let i = 0; i < turns; i++) await turn()
      process.exit(1)
    }
    if (how === 'in a microtask') {
      for (let i = 0; i < turns * 10; i++) await Promise.resolve()
      process.exit(1)
    }
    const step = (left: number) => void setImmediate(() => (left > 0 ? step(left - 1) : die(how)))
    step(turns)
  }

  @Interleaved() async echo<T>(value: T): Promise<T> {
    return value
  }

  async slow(turns: number): Promise<number> {
    for (let i = 0; i < turns; i++) await turn()
    return turns
  }

  @Interleaved() async callBack(callback: () => unknown): Promise<unknown> {
    return callback()
  }

  @Interleaved() async waitFor(lasting: Remote<Lasting>): Promise<string> {
    return lasting.wait()
  }

  @Interleaved() async *count(to: number): AsyncGenerator<number> {
    for (let i = 0; i < to; i++) {
      if (i % 16 === 0) await turn()
      yield i
    }
  }

  @Interleaved() async sum(values: AsyncIterable<number>): Promise<number> {
    let sum = 0
    for await (const value of values) sum += value
    return sum
  }

  @Interleaved() readable(): ReadableStream<number> {
    let i = 0
    return new ReadableStream({
      pull: async (controller) => {
        await turn()
        controller.enqueue(i++)
      },
    })
  }

  /** Blocks on another thread. */
  @Interleaved() blockOn(lasting: Remote<Lasting>, what: 'wait' | 'callBack'): unknown {
    if (what === 'callBack') return blocking(lasting).callBack(() => 'back')
    return blocking(callWith(lasting, { timeout: 5 })).wait()
  }
}

/** On a thread that lasts: it uses the mortal one, and tells how that ended. */
@ApartmentThreaded({ interleaved: true })
export class Witness {
  async blockOn(mortal: Remote<Mortal>, turns: number): Promise<unknown> {
    return blocking(mortal).slow(turns)
  }

  async use(mortal: Remote<Mortal>): Promise<unknown> {
    return mortal.callBack(() => 'from the witness')
  }

  async read(values: AsyncIterable<number>): Promise<number> {
    let count = 0
    for await (const _ of values) count++
    return count
  }
}
