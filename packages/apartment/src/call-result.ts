/** What a call gives. */
import { keepPromise } from '@flatshare/core/internal'

/**
 * A promise of a call's result that can also be iterated, as the result can: `for await (const x of proxy.messages())`
 * needs no `await` of its own, whether a generator method gave the iterator, or a plain one that returned it, or an
 * array. To `await` it costs what any promise costs: it says that `Promise` is its constructor.
 */
export class CallResult<T = unknown> extends Promise<T> {
  next(...value: [] | [unknown]): Promise<IteratorResult<unknown>> {
    return stepsOf(this).next(...value)
  }

  return(value?: unknown): Promise<IteratorResult<unknown>> {
    return stepsOf(this).return(value)
  }

  throw(error: unknown): Promise<IteratorResult<unknown>> {
    return stepsOf(this).throw(error)
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return new Steps(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

Reflect.defineProperty(CallResult.prototype, 'constructor', { value: Promise, writable: true, configurable: true })
keepPromise(() => new CallResult(() => {}))

/** The promise of a call that was made by other means. */
export function asCallResult(promise: Promise<unknown>): CallResult {
  return promise instanceof CallResult ? promise : (Object.setPrototypeOf(promise, CallResult.prototype) as CallResult)
}

/** Its failure is told to who awaits or iterates it; nobody need. */
export function toldWhenAsked(result: unknown): unknown {
  if (result instanceof CallResult) result.catch(() => {})
  return result
}

const ofGenerators = new WeakSet<object>()

/** The result of a method that surely gives an iterator: it stands for that one everywhere. */
export function ofGenerator(result: unknown): unknown {
  if (result instanceof CallResult) ofGenerators.add(result)
  return toldWhenAsked(result)
}

export function isOfGenerator(x: object): boolean {
  return ofGenerators.has(x)
}

const steps = new WeakMap<CallResult, Steps>()

function stepsOf(result: CallResult): Steps {
  let known = steps.get(result)
  if (!known) steps.set(result, (known = new Steps(result)))
  return known
}

/** An iterator over what has yet to arrive. */
class Steps implements AsyncIterator<unknown, unknown, unknown> {
  readonly #result: CallResult
  #iterator: Promise<AsyncIterator<unknown>> | undefined

  constructor(result: CallResult) {
    this.#result = result
  }

  /** Not before the first step: who never takes one is told of no failure. */
  #arrived(): Promise<AsyncIterator<unknown>> {
    return (this.#iterator ??= this.#result.then(iteratorOf))
  }

  async next(...value: [] | [unknown]): Promise<IteratorResult<unknown>> {
    return (await this.#arrived()).next(...value)
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    const iterator = await this.#arrived()
    return iterator.return ? iterator.return(value) : { done: true, value }
  }

  async throw(error: unknown): Promise<IteratorResult<unknown>> {
    const iterator = await this.#arrived()
    if (iterator.throw) return iterator.throw(error)
    await iterator.return?.()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function iteratorOf(x: unknown): AsyncIterator<unknown> {
  if (typeof x === 'object' && x !== null) {
    if (Symbol.asyncIterator in x) return (x as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    if (Symbol.iterator in x) return each(x as Iterable<unknown>)
  }
  throw new TypeError('The result of this call is not iterable: await it instead.')
}

async function* each(items: Iterable<unknown>): AsyncGenerator<unknown> {
  yield* items
}
