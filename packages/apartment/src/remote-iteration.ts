/** An iterator of another thread, as this one iterates it; see `iteration.ts`. */
import { DisconnectedError } from '@flatshare/core'
import type { CallSettings } from './call-settings.js'
import {
  ABORT,
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
import { type IterationLimit, LimitWatch, limitReached } from './iteration-limit.js'
import { isProxy, release } from './proxy.js'
import { callBy, stateOf } from './proxy-state.js'

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
  #limit: IterationLimit | undefined
  #watch: LimitWatch | undefined
  #givenUp: { readonly reason: unknown } | undefined
  /** Of what was given up while nobody waited. */
  #untold: { readonly reason: unknown } | undefined

  constructor(step: Step | undefined, open?: Open, limit?: IterationLimit) {
    this.step = step
    this.#open = open
    this.#limit = limit
  }

  /** Another call has given it, under these limits. Once it has begun it keeps its own. */
  limitBy(limit: IterationLimit): void {
    if (!this.begun) this.#limit = limit
  }

  /** A limit was reached: who waits is told, and the home. */
  giveUp(reason: unknown): void {
    if (this.#givenUp) return
    this.#givenUp = { reason }
    this.#watch?.stop()
    const ended = this.#over
    this.#over = true
    this.#items = []
    this.#last = undefined
    const first = this.#waiting.shift()
    if (first) first.reject(reason)
    else if (!ended) this.#untold = { reason }
    this.#settleWaiting()
    if (this.begun && this.step && isProxy(this.step)) void this.#tellHome(this.step, reason)
    else this.#letGo()
  }

  async #tellHome(step: Step, reason: unknown): Promise<void> {
    this.#asked++
    const tell = (...args: unknown[]) => this.#call(step, [ABORT, ...args], { reply: false })
    try {
      // At home the clock says the same.
      if (!this.#limit?.settings.signal?.aborted) await tell()
      // A reason that can't cross stays here.
      else await tell([reason]).catch(() => tell())
    } catch {
      // It is let go, which ends it as well.
    } finally {
      this.#asked--
      this.#letGo()
    }
  }

  #call(target: Function, args: unknown[], settings: CallSettings): Promise<unknown> {
    return callBy(target, { ...stateOf(target)!, settings }, 'apply', '', args) as Promise<unknown>
  }

  /** A step, or the opening, under the limits that there are; the first one tells of them. */
  #perform<F extends Step | Open>(target: F, ...args: unknown[]): Promise<unknown> {
    const limit = this.#limit
    const first = !this.begun
    this.begun = true
    if (!limit || !isProxy(target)) return (target as (...args: unknown[]) => Promise<unknown>)(...args)
    this.#watch ??= new LimitWatch(limit, this, stateOf(target)!.reference.peer?.link.apart === true)
    return this.#call(target, first ? [...args, this.#watch.told] : args, this.#watch.settings)
  }

  /** What a step that failed with this error fails with. */
  #whyFailed(error: unknown): unknown {
    if (this.#givenUp) return this.#givenUp.reason
    const reached = this.#watch && limitReached(this.#limit!)
    if (!reached) return error
    this.giveUp(reached.reason)
    this.#untold = undefined
    return reached.reason
  }

  next(...given: [] | [unknown]): Promise<Result> {
    const reached = this.#limit && !this.begun && !this.#over ? limitReached(this.#limit) : undefined
    if (reached) this.giveUp(reached.reason)
    const untold = this.#untold
    this.#untold = undefined
    if (untold) return Promise.reject(untold.reason as Error)
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
    this.#untold = undefined
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
    this.#untold = undefined
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
    if (this.begun || !this.#open) return this.#perform(this.step!, PULL, credit) as Promise<Batch>
    const opened = this.#perform(this.#open, credit) as ReturnType<Open>
    const opening = opened.then(([step, batch]) => {
      this.step = step
      return batch
    })
    this.#opening = opening.catch(() => {})
    return opening
  }

  #accept([items, done, value]: Batch, asked: number): void {
    this.#pulling = false
    this.#asked--
    // A generator that looks at the clock may have ended just because its time was up.
    const reached = done && this.#watch && !this.#givenUp ? limitReached(this.#limit!) : undefined
    if (reached) {
      this.giveUp(reached.reason)
      return
    }
    if (items.length >= asked) this.#credit = Math.min(asked * 2, MOST_CREDIT)
    const rest = [...items].reverse()
    while (rest.length > 0 && this.#waiting.length > 0) {
      this.#waiting.shift()!.resolve({ done: false, value: rest.pop() })
    }
    if (!this.#over) this.#items = rest
    if (done && !this.#givenUp) {
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
    const reason = this.#whyFailed(error)
    this.#waiting.shift()?.reject(reason)
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
    await this.#opening
    this.#asked++
    try {
      const [value, done] = this.step ? ((await this.#perform(this.step, what, x)) as StepResult) : [x, true]
      const reached = done && what === NEXT && this.#watch ? limitReached(this.#limit!) : undefined
      if (reached) throw reached.reason
      this.#over = done
      return { done, value }
    } catch (error) {
      const reason = this.#whyFailed(error)
      this.#over = true
      throw reason
    } finally {
      this.#asked--
      this.#letGo()
    }
  }

  /** Lets go of what is at home, once it is over and nothing is asked of it any more. */
  #letGo(): void {
    if (!this.#over || this.#asked > 0) return
    this.#watch?.stop()
    const { step } = this
    if (step && isProxy(step)) release(step)
  }
}
Object.defineProperty(RemoteIteration.prototype, Symbol.toStringTag, { value: 'AsyncGenerator' })

/** An iterable of another thread: each loop over it is an iteration of its own there. */
export class RemoteIterable implements AsyncIterable<unknown> {
  constructor(
    readonly open: Open,
    readonly limit?: IterationLimit,
  ) {}

  [Symbol.asyncIterator](): AsyncGenerator<unknown, unknown, unknown> {
    return new RemoteIteration(undefined, this.open, this.limit)
  }
}
