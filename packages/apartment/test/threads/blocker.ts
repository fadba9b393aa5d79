/** A module whose objects block on others, and are blocked on. */
import { ApartmentThreaded, blocking, callWith, currentCall, type Remote } from '@flatshare/apartment'
import { isForeign, parkedAt } from '@flatshare/core/internal'
import type { Cells } from './cells.js'
import './cells.js'

type Callback = () => unknown

/** An object that can be kept busy. */
export interface Busy {
  stay(): Promise<void>
  count(): number
}

@ApartmentThreaded()
export class Relay {
  #runs = 0
  readonly log: string[] = []

  get runs(): number {
    return this.#runs
  }

  set runs(value: number) {
    this.#runs = value
  }

  add(a: number, b: number): number {
    this.#runs++
    return a + b
  }

  async addLater(a: number, b: number): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve))
    return a + b
  }

  fail(): never {
    throw new RangeError('out of range')
  }

  /** Calls back, blocking. */
  back(callback: Callback): unknown {
    return (blocking(callback as never) as Callback)()
  }

  /** Calls back, awaiting. */
  async backLater(callback: Callback): Promise<unknown> {
    return await callback()
  }

  /** Counts down through itself and the other, each blocking on the other. */
  pingPong(other: Remote<Relay>, self: Relay, depth: number): number {
    this.#runs++
    if (depth === 0) return 0
    return 1 + (blocking(other).pingPong(self as never, other as never, depth - 1) as number)
  }

  /** Blocks on the next of a chain, the last one on the callback. */
  chain(callback: Callback, ...others: Remote<Relay>[]): unknown {
    const [next, ...rest] = others
    return next ? blocking(next).chain(callback as never, ...(rest as never[])) : this.back(callback)
  }

  /** Calls another thread's object, blocking or awaiting. */
  useOf(busy: Remote<Busy>): number {
    return blocking(busy).count()
  }

  async useLater(busy: Remote<Busy>): Promise<number> {
    return await busy.count()
  }

  async stayWith(busy: Remote<Busy>): Promise<void> {
    await busy.stay()
  }

  /** Has the other call back, over a link that is made for it. */
  viaOther(other: Remote<Relay>, callback: Callback): unknown {
    return blocking(other).back(callback as never)
  }

  async viaOtherLater(other: Remote<Relay>, callback: Callback): Promise<unknown> {
    return await other.backLater(callback as never)
  }

  deadline(): number | undefined {
    return currentCall()?.deadline
  }

  /** Calls back once its caller sleeps, and doesn't answer until that gives up. */
  async stall(callback: Callback): Promise<void> {
    const { caller } = currentCall()!
    while (!isForeign(caller) && parkedAt(caller) === 0);
    await callback()
    await this.hang()
  }

  /** Doesn't answer until its caller gives up. */
  async hang(): Promise<void> {
    const { signal } = currentCall()!
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        this.log.push(`gave up: ${(signal.reason as Error).name}`)
        resolve()
      })
    })
  }

  exit(): void {
    process.exit(3)
  }

  exitLater(): Promise<void> {
    setImmediate(() => process.exit(3))
    return new Promise(() => {})
  }

  crash(): Promise<void> {
    setImmediate(() => {
      throw new Error('crashed')
    })
    return new Promise(() => {})
  }

  note(what: string): void {
    this.log.push(what)
  }

  notes(): string[] {
    return this.log
  }

  meet(arrivals: Cells, own: number, all: number): void {
    meet(arrivals, own, all)
  }

  /** Meets the other threads, so that all have begun, then blocks on one of them: crosswise, for ever. */
  cross(arrivals: Cells, own: number, all: number, other: Remote<Relay>, timeout?: number): string {
    meet(arrivals, own, all)
    try {
      blocking(timeout === undefined ? other : callWith(other, { timeout })).add(1, 2)
      return 'answered'
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`
    }
  }
}

/** Returns once all of so many threads have come. */
function meet(arrivals: Cells, own: number, all: number): void {
  arrivals.store(own, 1)
  for (let other = 0; other < all; other++) arrivals.wait(other)
}

export async function callBack(callback: Callback): Promise<unknown> {
  return await callback()
}

export function shout(text: string): string {
  return text.toUpperCase()
}
