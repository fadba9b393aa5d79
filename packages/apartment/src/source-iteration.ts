/** An iterator of this thread that another one iterates; see `iteration.ts`. */
import {
  type CallId,
  currentCall,
  currentFrame,
  type Frame,
  newCallId,
  runInFrame,
  soon,
} from '@flatshare/core/internal'
import type { Gate, Turn } from './gate.js'
import { ABORT, type Batch, MOST_CREDIT, NEXT, PULL, RETURN, type Step, type StepResult, THROW } from './iteration.js'
import { callGivenUp, type ServedCall } from './served-call.js'
import { snapshot } from './snapshot.js'
import { stepOf, wholeCall } from './step-call.js'
import { whenUnheld } from './stub.js'

/** What can be iterated: an async iterator, or a sync one. */
export interface AnyIterator {
  next(value?: unknown): PromiseLike<IteratorResult<unknown>> | IteratorResult<unknown>
  return?(value?: unknown): PromiseLike<IteratorResult<unknown>> | IteratorResult<unknown>
  throw?(error: unknown): PromiseLike<IteratorResult<unknown>> | IteratorResult<unknown>
}

interface Pull {
  readonly credit: number
  resolve(batch: Batch): void
  reject(error: unknown): void
}

/** The object whose code a generator runs. */
interface Owner {
  /** Where its calls queue. */
  readonly gate: Gate | undefined
  /** What errors call a step. */
  readonly label: string
  /** Why it takes no calls any more. */
  refusal(): Error | undefined
}

const owners = new WeakMap<object, Owner>()

/** Says that the steps of a generator are calls of its object: they queue with the others, and end with them. */
export function stepsAreCalls(generator: object, owner: Owner): void {
  owners.set(generator, owner)
}

/** Whether it is what a generator function gave, whose steps run the function's body. */
export function isGenerator(x: unknown): x is object {
  if (typeof x !== 'object') return false
  const tag = Object.prototype.toString.call(x)
  return tag === '[object AsyncGenerator]' || tag === '[object Generator]'
}

export class SourceIteration {
  /** What the other thread calls. */
  readonly step: Step
  readonly #iterator: AnyIterator
  readonly #settlesAtOnce: boolean
  readonly #owner: Owner | undefined
  #items: unknown[] = []
  /** The item after those, where it must go alone. Nothing is asked of the iterator before it has gone. */
  #held: { readonly value: unknown } | undefined
  readonly #pulls: Pull[] = []
  #end: { readonly value: unknown } | { readonly error: unknown } | undefined
  #begun = false
  #pumping = false
  /** Whether the last item came in the turn in which it was asked for. */
  #prompt = false
  #turn = 0
  #turning = false
  /** On whose behalf the iterator runs: of the last step. */
  #frame: Frame | undefined
  /** Of an iteration with limits: whether it is wanted as a whole. */
  #whole: ServedCall | undefined

  /**
   * @param label what errors call a step.
   * @param settlesAtOnce its `return` doesn't wait for a step that is running.
   */
  constructor(iterator: AnyIterator, label: string, settlesAtOnce = false) {
    this.#iterator = iterator
    this.#settlesAtOnce = settlesAtOnce
    this.#owner = owners.get(iterator)
    const step = (what: number, x: unknown, limits?: unknown): Promise<unknown> => {
      const call = currentCall()
      if (call && !this.#begun) this.#whole = wholeCall(call, limits)
      this.#begun = true
      this.#frame = call && this.#whole ? { parent: undefined, call: stepOf(call, this.#whole) } : currentFrame()
      if (what === ABORT) return this.#abort(x)
      if (what === PULL) return this.#pull(x)
      if (what === RETURN) return this.#return(x)
      if (what === NEXT) return this.#advanceBy('next', x)
      if (what === THROW) return this.#advanceBy('throw', x)
      return Promise.reject(new TypeError('An iterator takes no such step.'))
    }
    this.step = Object.defineProperty(step, 'name', { value: label }) as Step
    whenUnheld(step, () => this.abandon())
  }

  /** Nobody iterates it any more. */
  abandon(reason?: unknown): void {
    if (!this.#begun) return
    if (!this.#end) {
      this.#frame = undefined
      void this.#abort([reason ?? callGivenUp()])
    } else this.#whole?.end()
  }

  /** Whoever iterated it wants it no more; that is nothing that could fail. */
  async #abort(given: unknown): Promise<void> {
    const whole = this.#whole
    whole?.giveUp(Array.isArray(given) ? given[0] : (whole.reason ?? callGivenUp()))
    await this.#return(undefined).catch(() => {})
  }

  #pull(asked: unknown): Promise<Batch> {
    const credit = Number.isInteger(asked) ? Math.min(Math.max(asked as number, 1), MOST_CREDIT) : 1
    return new Promise((resolve, reject) => {
      this.#pulls.push({ credit, resolve, reject })
      this.#answer(true)
      if (!this.#pumping) void this.#pump()
    })
  }

  /** Answers the pulls that can be; `now` also those whose credit isn't used up. */
  #answer(now: boolean): void {
    for (let pull = this.#pulls[0]; pull; pull = this.#pulls[0]) {
      const items = this.#items
      if (items.length >= pull.credit || (items.length > 0 && (now || this.#end || this.#held))) {
        // An end that can't cross is told after the items.
        const ended = this.#end && 'value' in this.#end && items.length <= pull.credit && snapshot(this.#end.value)
        pull.resolve(ended ? [items, true, this.#takeEnd()] : [items.splice(0, pull.credit), false])
        if (ended) this.#items = []
      } else if (this.#held) {
        pull.resolve([[this.#held.value], false])
        this.#held = undefined
      } else if (this.#end && 'error' in this.#end) {
        const { error } = this.#end
        this.#end = { value: undefined }
        pull.reject(error)
      } else if (this.#end) pull.resolve([[], true, this.#takeEnd()])
      else return
      this.#pulls.shift()
    }
  }

  /** Takes an item that came. Where the iterator will be asked for more before it goes, it must not change by that. */
  #take(value: unknown, prompt: boolean): void {
    const goesNow = this.#items.length === 0 && (!prompt || (this.#pulls[0]?.credit ?? 1) === 1)
    const kept = goesNow ? { value } : snapshot(value)
    if (kept) this.#items.push(kept.value)
    else this.#held = { value }
  }

  /** What it ended with is told once, as an iterator does. */
  #takeEnd(): unknown {
    const { value } = this.#end as { value: unknown }
    this.#end = { value: undefined }
    return value
  }

  async #pump(): Promise<void> {
    this.#pumping = true
    while (!this.#end && this.#wanted()) {
      this.#beginTurn()
      const turn = this.#turn
      try {
        const { done, value } = await this.#advance('next', undefined)
        if (!done) this.#take(value, turn === this.#turn)
        else this.#end ??= { value }
      } catch (error) {
        this.#end ??= { error }
      }
      if (this.#end) this.#whole?.end()
      this.#prompt = turn === this.#turn
      this.#answer(!this.#prompt || this.#held !== undefined)
    }
    this.#pumping = false
    this.#answer(true)
  }

  #wanted(): boolean {
    if (this.#pulls.length === 0 || this.#held) return false
    if (this.#items.length === 0) return true
    let credit = 0
    for (const pull of this.#pulls) credit += pull.credit
    return this.#prompt && this.#items.length < credit
  }

  #beginTurn(): void {
    if (this.#turning) return
    this.#turning = true
    soon(() => {
      this.#turning = false
      this.#turn++
      this.#answer(true)
    })
  }

  async #return(value: unknown): Promise<StepResult> {
    this.#items = []
    this.#held = undefined
    if (this.#end) return [value, true]
    const waitedFor = this.#pulls.length > 0
    this.#end = { value: undefined }
    if (!this.#iterator.return) {
      this.#whole?.end()
      this.#answer(true)
      return [value, true]
    }
    const returned = this.#advance('return', value)
    if (this.#pumping && !waitedFor && !this.#settlesAtOnce) {
      // It runs ahead, in a step that may last: its own end comes behind that step, and nobody waits for either.
      this.#whole?.end()
      returned.catch(() => {})
      return [value, true]
    }
    const result = await returned.finally(() => this.#whole?.end())
    if (!result.done) this.#end = undefined
    if (!this.#pumping) this.#answer(true)
    return [result.value, Boolean(result.done)]
  }

  async #advanceBy(method: 'next' | 'throw', x: unknown): Promise<StepResult> {
    const held = this.#held
    if (method === 'next' && this.#items.length > 0) return [this.#items.shift(), false]
    this.#items = []
    this.#held = undefined
    if (method === 'next' && held) return [held.value, false]
    if (this.#end) {
      if (method === 'throw') throw x
      return [undefined, true]
    }
    try {
      if (method === 'throw' && !this.#iterator.throw) {
        await this.#return(undefined)
        throw x
      }
      const { done, value } = await this.#advance(method, x)
      if (done) this.#finish()
      return [value, Boolean(done)]
    } catch (error) {
      this.#finish()
      throw error
    }
  }

  #finish(): void {
    this.#end = { value: undefined }
    this.#whole?.end()
  }

  /** One step of the iterator itself, in its turn where its object's calls queue. */
  async #advance(method: 'next' | 'return' | 'throw', x: unknown): Promise<IteratorResult<unknown>> {
    const frame = this.#frame
    const owner = this.#owner
    const whole = this.#whole
    const perform = () => {
      // It waited its turn, and nobody wants it any more.
      if (method === 'next' && whole?.givenUp) {
        if (!this.#end) this.#advance('return', undefined).catch(() => {})
        throw whole.reason
      }
      const refusal = method === 'return' ? undefined : owner?.refusal()
      if (refusal) {
        // What it holds is let go all the same.
        this.#advance('return', undefined).catch(() => {})
        throw refusal
      }
      const run = () => this.#iterator[method]!(x)
      return frame ? runInFrame(frame, run) : run()
    }
    const path = frame?.call?.path ?? [newCallId()]
    const result = await (owner?.gate ? inTurn(owner.gate, path, owner.label, perform) : perform())
    if (typeof result !== 'object' || result === null) {
      throw new TypeError(`The iterator's ${method}() gave ${result === null ? 'null' : typeof result}, not a result.`)
    }
    // A sync iterator may give promises.
    return { done: result.done, value: (await result.value) as unknown }
  }
}

function inTurn<R>(gate: Gate, path: readonly CallId[], label: string, perform: () => PromiseLike<R> | R): Promise<R> {
  return new Promise((resolve, reject) => {
    const turn: Turn = {
      path,
      label,
      start() {
        const running = new Promise<R>((settle) => settle(perform()))
        running.then(resolve, reject)
        const leave = () => gate.leave(turn)
        running.then(leave, leave)
        return true
      },
    }
    gate.pass(turn)
  })
}
