/** An iterator of another thread, as this one iterates it; see `iteration.ts`. */
import { DisconnectedError } from '@flatshare/core'
import {
  type Batch,
  MOST_CREDIT,
  NEXT,
  type Open,
  PULL,
  RETURN,
  type Step,
  type StepResult,
  THROW,
} from './iteration.js'
import { isProxy, release } from './proxy.js'

type Result = IteratorResult<unknown, unknown>

interface Waiting {
  resolve(result: Result): void
  reject(error: unknown): void
}

export class RemoteIteration implements AsyncGenerator<unknown, unknown, unknown> {
  readonly [Symbol.toStringTag]!: string
  /** Whether something was asked of it. */
  begun = false
  step: Step | undefined
  readonly #open: Open | undefined
  #opening: Promise<unknown> | undefined
  /** What has come and wasn't taken, the next one last. */
  #items: unknown[] = []
  readonly #waiting: Waiting[] = []
  #credit = 1
  #pulling = false
  /** Calls of the home that aren't answered. */
  #asked = 0
  #over = false
  #last: { readonly value: unknown } | undefined

  constructor(step: Step | undefined, open?: Open) {
    this.step = step
    this.#open = open
  }

  next(...given: [] | [unknown]): Promise<Result> {
    const idle = this.#waiting.length === 0
    if (idle && this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.pop() })
    if (idle && this.#over) return Promise.resolve(this.#end())
    if (idle && given[0] !== undefined && this.begun && !this.#pulling) return this.#send(NEXT, given[0])
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (!this.#pulling) this.#pull()
    })
  }

  async return(value?: unknown): Promise<Result> {
    const given = await value
    this.#items = []
    if (this.#over) return { done: true, value: given }
    if (!this.begun && this.#open) {
      // Nothing has begun at home that would have to end.
      this.#over = true
      return { done: true, value: given }
    }
    this.#over = true
    try {
      return await this.#send(RETURN, given)
    } catch (error) {
      // There is nothing left to end.
      if (error instanceof DisconnectedError) return { done: true, value: given }
      throw error
    }
  }

  async throw(error: unknown): Promise<Result> {
    this.#items = []
    if (this.#over || (!this.begun && this.#open)) {
      this.#over = true
      throw error
    }
    return this.#send(THROW, error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #pull(): void {
    this.#pulling = true
    this.#asked++
    const asked = this.#credit
    this.#ask(asked).then(
      (batch) => this.#accept(batch, asked),
      (error: unknown) => this.#fail(error),
    )
  }

  #ask(credit: number): Promise<Batch> {
    const first = !this.begun
    this.begun = true
    if (!first || !this.#open) return this.step!(PULL, credit)
    const opening = this.#open(credit).then(([step, batch]) => {
      this.step = step
      return batch
    })
    this.#opening = opening.catch(() => {})
    return opening
  }

  #accept([items, done, value]: Batch, asked: number): void {
    this.#pulling = false
    this.#asked--
    if (items.length >= asked) this.#credit = Math.min(asked * 2, MOST_CREDIT)
    const rest = [...items].reverse()
    while (rest.length > 0 && this.#waiting.length > 0) {
      this.#waiting.shift()!.resolve({ done: false, value: rest.pop() })
    }
    if (!this.#over) this.#items = rest
    if (done) {
      this.#last = { value }
      this.#over = true
    }
    this.#letGo()
    if (this.#waiting.length === 0) return
    if (this.#over) this.#settleWaiting()
    else this.#pull()
  }

  #fail(error: unknown): void {
    this.#pulling = false
    this.#asked--
    this.#waiting.shift()?.reject(error)
    this.#over = true
    this.#letGo()
    this.#settleWaiting()
  }

  #settleWaiting(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(this.#end())
  }

  /** What it ended with is told once. */
  #end(): Result {
    const value = this.#last?.value
    this.#last = undefined
    return { done: true, value }
  }

  async #send(what: typeof RETURN | typeof THROW | typeof NEXT, x: unknown): Promise<Result> {
    this.begun = true
    await this.#opening
    this.#asked++
    try {
      const [value, done]: StepResult = this.step ? await this.step(what, x) : [x, true]
      this.#over = done
      return { done, value }
    } catch (error) {
      this.#over = true
      throw error
    } finally {
      this.#asked--
      this.#letGo()
    }
  }

  /** Lets go of what is at home, once it is over and nothing is asked of it any more. */
  #letGo(): void {
    const { step } = this
    if (this.#over && this.#asked === 0 && step && isProxy(step)) release(step)
  }
}
Object.defineProperty(RemoteIteration.prototype, Symbol.toStringTag, { value: 'AsyncGenerator' })

/** An iterable of another thread: each loop over it is an iteration of its own there. */
export class RemoteIterable implements AsyncIterable<unknown> {
  constructor(readonly open: Open) {}

  [Symbol.asyncIterator](): AsyncGenerator<unknown, unknown, unknown> {
    return new RemoteIteration(undefined, this.open)
  }
}
