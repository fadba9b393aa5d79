/** A module whose exports are served: the classes that the tests make on another thread. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  ApartmentThreaded,
  currentCall,
  disconnect,
  Hidden,
  Interleaved,
  type Remote,
  SingleThreaded,
} from '@flatshare/apartment'
import { byReference, callingThread, currentThread, registerError } from '@flatshare/core'

export class OverdrawnError extends Error {
  override name = 'OverdrawnError'
  constructor(readonly missing: number) {
    super(`${missing} are missing`)
  }
}
registerError(OverdrawnError)

class Base {
  inherited(): string {
    return 'base'
  }
  @Hidden() hiddenInBase(): void {}
}

@ApartmentThreaded()
export class Account extends Base {
  #balance: number
  secretField = 'secret'
  readonly history: string[] = []

  constructor(balance = 0) {
    super()
    if (balance < 0) throw new OverdrawnError(-balance)
    this.#balance = balance
  }

  get balance(): number {
    return this.#balance
  }

  set balance(value: number) {
    this.#balance = value
  }

  accessor label = 'none'

  deposit(amount: number): number {
    return (this.#balance += amount)
  }

  /** Loses updates if two of it run at once. */
  async slowDeposit(amount: number): Promise<number> {
    const before = this.#balance
    await new Promise((resolve) => setImmediate(resolve))
    this.#balance = before + amount
    return this.#balance
  }

  withdraw(amount: number): number {
    if (amount > this.#balance) throw new OverdrawnError(amount - this.#balance)
    return (this.#balance -= amount)
  }

  itself(): Account {
    return this
  }

  @Hidden() reset(): void {
    this.#balance = 0
  }

  @Hidden() get hiddenGetter(): number {
    return 1
  }

  #private(): void {}
  usesPrivate(): boolean {
    this.#private()
    return true
  }

  isItself(x: unknown): boolean {
    return x === this
  }

  async echo<T>(value: T): Promise<T> {
    return value
  }

  async mixed(): Promise<void> {}

  toJSON(): string {
    return 'json'
  }
}

/** Calls back while it serves. */
@ApartmentThreaded()
export class Relay {
  readonly order: string[] = []
  #listeners = new Set<unknown>()
  #inside = 0
  most = 0

  async callBack(fn: (relay: Remote<Relay>) => Promise<unknown> | unknown): Promise<unknown> {
    this.order.push('begin')
    const result = await fn(this as never)
    this.order.push('end')
    return result
  }

  note(what: string): string[] {
    this.order.push(what)
    return this.order
  }

  async twice(other: Remote<Relay>): Promise<number> {
    // Two siblings: at the other object they queue.
    await Promise.all([other.busy(), other.busy()])
    return (await other.mostAtOnce()) as number
  }

  async busy(): Promise<void> {
    this.most = Math.max(this.most, ++this.#inside)
    await new Promise((resolve) => setImmediate(resolve))
    this.#inside--
  }

  mostAtOnce(): number {
    return this.most
  }

  @Interleaved() async ping(): Promise<string> {
    return 'pong'
  }

  subscribe(listener: unknown): number {
    this.#listeners.add(listener)
    return this.#listeners.size
  }

  unsubscribe(listener: unknown): boolean {
    return this.#listeners.delete(listener)
  }

  async publish(value: unknown): Promise<unknown[]> {
    return Promise.all([...this.#listeners].map((listener) => (listener as (x: unknown) => Promise<unknown>)(value)))
  }

  async collect(options: { deep: { on: Array<(x: number) => number | Promise<number>> } }): Promise<number[]> {
    return Promise.all(options.deep.on.map(async (fn, i) => fn(i)))
  }

  caller(): number {
    return callingThread()
  }

  async callerLater(): Promise<number | undefined> {
    await Promise.resolve()
    return currentCall()?.caller
  }

  home(): number {
    return currentThread.id
  }

  async forward(other: Remote<Account>, amount: number): Promise<number> {
    return other.deposit(amount)
  }

  /** For `Waiting` on yet another thread. */
  keep: unknown
  hold(x: unknown): void {
    this.keep = x
  }
  held(): unknown {
    return this.keep
  }
  end(): void {
    disconnect(this)
  }
}

/** Holds calls open until it is let go through shared memory, or ends its thread. */
@ApartmentThreaded({ name: 'Waiting' })
export class WaitingObject {
  aborted = ''

  /** Answers when the cell is set; says by `started` that it runs. */
  async until(started: () => unknown): Promise<string> {
    const { signal } = currentCall()!
    await started()
    // The answer of `started` and the abort may come in one turn.
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    this.aborted = (signal.reason as DOMException).name
    return 'aborted'
  }

  reasonSeen(): string {
    return this.aborted
  }

  deadline(): number | undefined {
    return currentCall()!.deadline
  }

  async nested(fn: () => Promise<unknown>): Promise<unknown> {
    return fn()
  }

  async watch(signal: AbortSignal, listening: (first: boolean) => unknown): Promise<unknown> {
    if (!signal.aborted) {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve)
        void listening(signal.aborted)
      })
    }
    return signal.reason
  }

  sameSignal(a: AbortSignal, b: AbortSignal): boolean {
    return a === b
  }

  exit(code: number): never {
    process.exit(code)
  }

  async exitLater(started: () => unknown, how: 'exit' | 'throw' | 'memory'): Promise<void> {
    await started()
    if (how === 'exit') process.exit(3)
    if (how === 'memory') for (const kept: unknown[] = []; ; ) kept.push(new Array(1000).fill({}))
    setImmediate(() => {
      throw new OverdrawnError(7)
    })
    await new Promise(() => {})
  }
}

@SingleThreaded()
export class Window {
  title = 'x'
}

/** An object with so many more, one inside the other. */
export function nest(depth: number): { inner?: object } {
  let nested = {}
  for (let i = 0; i < depth; i++) nested = { inner: nested }
  return nested
}

export const opened = new Date(0)
export const memory = new SharedArrayBuffer(4)
export const sizes = new Map([['Inbox', 2]])

/** Results that can't cross. */
@ApartmentThreaded()
export class Odd {
  window(): unknown {
    return { deep: [new Window()] }
  }
  symbol(): unknown {
    return { s: Symbol('s') }
  }
  weak(): unknown {
    return new WeakMap()
  }
  nested(depth: number): object {
    return nest(depth)
  }
  throwsNested(depth: number): never {
    throw Object.assign(new Error('nested'), { nested: nest(depth) })
  }
  depthOf(value: { inner?: object }): number {
    let depth = 0
    for (let at = value; at.inner; at = at.inner) depth++
    return depth
  }
  *generator(): Generator<number> {
    yield 1
  }
  async *asyncGenerator(): AsyncGenerator<number> {
    yield 1
  }
  async asyncWeak(): Promise<unknown> {
    return { a: new WeakMap() }
  }
  throwsWeak(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the test
    throw { weak: new WeakMap() }
  }
  throwsText(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the test
    throw 'text'
  }
  throwsNothing(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the test
    throw undefined
  }
  klass(): unknown {
    return Account
  }
  plain(): unknown {
    return new Undecorated(1)
  }
  marked(): unknown {
    return byReference(new Undecorated(2))
  }
}

/** No decorator: served, it is used by reference all the same. */
export class Undecorated {
  constructor(public value: number) {}
  read(): number {
    return this.value
  }
}

export class Described {
  shown(): string {
    return 'shown'
  }
  secret(): string {
    return 'secret'
  }
}
ApartmentThreaded({ name: 'Told', hidden: ['secret'] })(Described)

export async function resize(width: number, by: (x: number) => number | Promise<number>): Promise<number> {
  return by(width)
}

export const settings = { theme: 'dark', nested: { depth: 2 }, double: (x: number) => x * 2 }

export const polluted = (): boolean => 'x' in ({} as object) || 'x' in Function.prototype

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Collects this thread's garbage; finalizers run before the answer. */
export async function collect(): Promise<void> {
  gc()
  await new Promise((resolve) => setImmediate(resolve))
}
