/**
 * `locks`: the steps of the Web Locks specification (https://w3c.github.io/web-locks/) over a table of requests, which
 * plays the "lock task queue" for all threads. `lock-table.ts` keeps that in shared memory.
 *
 * The life of a request on its thread:
 *
 *   waiting  in the table, not granted     abort: leave the table, reject
 *   granted  the callback is due           abort: leave the table, reject; the callback isn't called
 *   running  the callback was called       abort: nothing
 *   done     what it gave has settled      the table was left before the promise settles
 *
 * Stolen while granted or running: the promise rejects at once, and the rest happens without effect on it.
 */
import { sharedBlock } from '@flatshare/core/internal'
import { waiting } from './engine.js'
import type {
  LockManagerSnapshot,
  LockMode,
  LockRequestOptions,
  Lock as PublicLock,
  LockManager as PublicLockManager,
} from './lock-manager.js'
import { makeLockTable, type Requester, type Ticket } from './lock-table.js'

const table = makeLockTable(waiting, (bytes) => sharedBlock('lockTable', bytes))

type Callback = (lock: PublicLock | null) => unknown

/** Who may construct: this module. */
const key = Symbol('locks')

function refuseConstruction(given: unknown, name: string): void {
  if (given !== key) throw new TypeError(`Illegal constructor: a ${name} is not made with new. Use locks.request().`)
}

class Lock implements PublicLock {
  readonly #name: string
  readonly #mode: LockMode

  constructor(given: typeof key, name: string, mode: LockMode) {
    refuseConstruction(given, 'Lock')
    this.#name = name
    this.#mode = mode
  }

  get name(): string {
    return this.#name
  }

  get mode(): LockMode {
    return this.#mode
  }
}

/** The dictionary `LockOptions`, converted. */
interface Options {
  readonly ifAvailable: boolean
  readonly mode: LockMode
  readonly signal: AbortSignal | undefined
  readonly steal: boolean
}

const defaults: Options = { ifAvailable: false, mode: 'exclusive', signal: undefined, steal: false }

/** As Web IDL converts a dictionary: each member is read once, in the order of their names. */
function convertOptions(given: unknown): Options {
  if (given === undefined || given === null) return defaults
  if (typeof given !== 'object' && typeof given !== 'function') {
    throw new TypeError(`The options of locks.request() are an object, not ${describe(given)}.`)
  }
  const source = given as Record<keyof LockRequestOptions, unknown>
  const ifAvailable = Boolean(source.ifAvailable)
  const mode = convertMode(source.mode)
  const { signal } = source
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`The signal of locks.request() is not an AbortSignal, but ${describe(signal)}.`)
  }
  return { ifAvailable, mode, signal, steal: Boolean(source.steal) }
}

function convertMode(given: unknown): LockMode {
  if (given === undefined) return 'exclusive'
  const mode = toDOMString(given)
  if (mode === 'exclusive' || mode === 'shared') return mode
  throw new TypeError(`The mode of locks.request() is 'exclusive' or 'shared', not ${describe(given)}.`)
}

/** What is no string is made one, as an operator does it: a symbol can't be. */
function toDOMString(given: unknown): string {
  return typeof given === 'string' ? given : `${given as string}`
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

function refuseUnsupported(name: string, { ifAvailable, mode, signal, steal }: Options): void {
  const refuse = (why: string) => {
    throw new DOMException(why, 'NotSupportedError')
  }
  if (name.startsWith('-')) refuse(`The name of a lock may not begin with "-", as '${name}' does.`)
  if (steal && ifAvailable) refuse('A lock is requested with steal or with ifAvailable, not with both.')
  if (steal && mode !== 'exclusive') refuse("A lock can be stolen in mode 'exclusive' only.")
  if (signal && (steal || ifAvailable)) refuse('A request with steal or ifAvailable never waits: it takes no signal.')
}

/** A request, from its entry into the table until it has left that. */
class Request implements Requester {
  readonly #name: string
  readonly #mode: LockMode
  readonly #callback: Callback
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (value: unknown) => void
  readonly #reject: (reason: unknown) => void
  /** Undefined where the lock wasn't available. */
  readonly #ticket: Ticket | undefined
  #aborted = false
  readonly #onAbort: (() => void) | undefined
  /** Called by the table; the callback is due, later, in the async context of the request. */
  readonly granted: () => void

  constructor(
    name: string,
    { ifAvailable, mode, signal, steal }: Options,
    callback: Callback,
    resolve: (value: unknown) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#name = name
    this.#mode = mode
    this.#callback = callback
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    let grant!: () => void
    void new Promise<void>((resolve) => (grant = resolve)).then(() => this.#start())
    this.granted = grant
    this.#ticket = table.enter(name, mode, steal ? 'steal' : ifAvailable ? 'ifAvailable' : 'queue', this)
    if (!this.#ticket) grant()
    else if (signal) {
      this.#onAbort = () => this.#abort()
      signal.addEventListener('abort', this.#onAbort)
    }
  }

  stolen(): void {
    const by = `The lock '${this.#name}' was stolen: somebody requested it with steal. Its callback runs without it.`
    this.#reject(new DOMException(by, 'AbortError'))
  }

  #abort(): void {
    this.#aborted = true
    this.#signal!.removeEventListener('abort', this.#onAbort!)
    this.#leave()
    this.#reject(this.#signal!.reason)
  }

  #start(): void {
    if (this.#aborted) return
    if (this.#onAbort) {
      // An event listener before ours can have stopped the event.
      if (this.#signal!.aborted) {
        this.#abort()
        return
      }
      this.#signal!.removeEventListener('abort', this.#onAbort)
    }
    void this.#run()
  }

  async #run(): Promise<void> {
    try {
      const callback = this.#callback
      const value = await callback(this.#ticket === undefined ? null : new Lock(key, this.#name, this.#mode))
      this.#leave()
      this.#resolve(value)
    } catch (error) {
      this.#leave()
      this.#reject(error)
    }
  }

  #leave(): void {
    if (this.#ticket) table.leave(this.#ticket)
  }
}

class LockManager implements PublicLockManager {
  readonly #brand = true

  constructor(given: typeof key) {
    refuseConstruction(given, 'LockManager')
  }

  request(name: string, ...rest: unknown[]): Promise<any> {
    try {
      // A foreign `this` fails here.
      void this.#brand
      if (rest.length === 0) {
        throw new TypeError("locks.request() takes a name and a callback: locks.request('cache', async () => { … }).")
      }
      const text = toDOMString(name)
      const options = rest.length === 1 ? defaults : convertOptions(rest[0])
      const callback = rest.length === 1 ? rest[0] : rest[1]
      if (typeof callback !== 'function') {
        throw new TypeError(`The callback of locks.request() is a function, not ${describe(callback)}.`)
      }
      refuseUnsupported(text, options)
      if (options.signal?.aborted) return Promise.reject(options.signal.reason as Error)
      return new Promise((resolve, reject) => new Request(text, options, callback as Callback, resolve, reject))
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  // Async, so that it rejects where it would throw.
  async query(): Promise<LockManagerSnapshot> {
    void this.#brand
    return table.snapshot()
  }

  static {
    const enumerable = { enumerable: true }
    Object.defineProperties(Lock.prototype, {
      name: enumerable,
      mode: enumerable,
      [Symbol.toStringTag]: { value: 'Lock', configurable: true },
    })
    Object.defineProperties(LockManager.prototype, {
      request: enumerable,
      query: enumerable,
      [Symbol.toStringTag]: { value: 'LockManager', configurable: true },
    })
    Object.defineProperty(LockManager.prototype.request, 'length', { value: 2, configurable: true })
  }
}

/**
 * The Web Locks API for all threads of this process: locks by name, nothing to hand over beforehand.
 *
 * It is always this one, also where there is a `navigator.locks`, which spans the tabs of an origin instead.
 *
 * @example
 * await locks.request('cache', async () => { await cache.rebuild() })
 */
export const locks: PublicLockManager = new LockManager(key)
