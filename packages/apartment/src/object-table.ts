/**
 * The global object table: objects that every thread of the process finds by a name.
 *
 * The directory (`object-directory.ts`) is in shared memory and says which thread has a name; the object stays with
 * that thread, which hands out references to it on a link of its own to whoever asks. A free-threaded object is in the
 * directory itself, so its home isn't asked.
 */
import { DisconnectedError, FlatshareError, marshal, modelOf } from '@flatshare/core'
import { checkedTimeout, isAlive, ownThreadId, type ThreadId, threadName } from '@flatshare/core/internal'
import { traceCall } from './call-trace.js'
import type { Arrives, Given } from './crossing-types.js'
import { ApartmentThreaded } from './decorators.js'
import { crossingName, isClass } from './description.js'
import { meet } from './introduce.js'
import { enter, type Found, find, leave, registeredNames } from './object-directory.js'
import { reachable } from './serve-table.js'
import { similarNames } from './similar-names.js'
import { holdForEver, refusalOf, type Stub, TABLE } from './stub.js'

/**
 * What names stand for, for the types of `objectTable`. Declare it once, where all threads' code sees it.
 *
 * @example
 * declare module '@flatshare/apartment' {
 *   interface ObjectTableNames { mailbox: Mailbox }
 * }
 * const mailbox = await objectTable.get('mailbox') // Remote<Mailbox>
 */
// biome-ignore lint/suspicious/noEmptyInterface: programs add to it.
export interface ObjectTableNames {}

export interface RegisterOptions {
  /** The table doesn't keep the object: when it is collected, the name is free. */
  weak?: boolean
}

export interface GetOptions {
  /** Milliseconds until the object's thread is given up, when that doesn't answer: 10,000 by default. */
  timeout?: number
  /** Gives up asking. */
  signal?: AbortSignal
}

/**
 * An entry of the global object table. It can be handed to other threads like any apartment-threaded object: there
 * `await registration.revoke()` ends the entry.
 */
export interface Registration extends Disposable {
  /** The name under which the object is found. */
  readonly name: string
  /**
   * Ends the entry: the name is free, and `get` finds it no more. References that others have got stay. Again does
   * nothing, also when the name has been registered anew.
   */
  revoke(): void
}

/** The objects that all threads of the process find by name. */
export interface ObjectTable {
  /**
   * Lets every thread find an object of this one by a name, until it is revoked or this thread ends. The object stays
   * here; others get a proxy, whether it is decorated or not, and a free-threaded object as itself. The table keeps
   * the object, unless `weak` is given.
   *
   * A proxy may be registered: whoever gets it talks to the object's own thread, and the entry ends with this one.
   *
   * @throws FlatshareError when the name belongs to an object of a living thread.
   * @throws WrongThreadError for an object of a single-threaded class.
   * @throws TypeError for a name that is no text or empty, for what is no object or function, and for a class.
   * @example
   * using registration = objectTable.register('mailbox', new Mailbox())
   */
  register<K extends string>(
    name: K,
    object: K extends keyof ObjectTableNames ? Given<ObjectTableNames[K]> : object,
    options?: RegisterOptions,
  ): Registration

  /**
   * The object of that name, as often as wanted: on the thread that registered it the object itself, elsewhere its
   * proxy, the same one each time, or a free-threaded object as itself. It belongs to the thread that asks.
   *
   * The thread that registered it must answer, from its event loop or out of a blocking call; no other thread is needed.
   *
   * @throws FlatshareError when nothing is registered under that name (the message says what similar names are), or when
   * the thread that registered it doesn't answer in time.
   * @throws DisconnectedError when that thread ends meanwhile.
   * @throws the signal's reason when that fires first.
   * @example
   * const mailbox = await objectTable.get<Remote<Mailbox>>('mailbox')
   */
  get<K extends keyof ObjectTableNames & string>(name: K, options?: GetOptions): Promise<Arrives<ObjectTableNames[K]>>
  get<T = unknown>(name: string, options?: GetOptions): Promise<T>

  /** Whether an object of a living thread has the name at this moment. It asks no thread. */
  has(name: string): boolean

  /** The names of all objects of living threads at this moment, in the order in which they were registered. */
  names(): string[]
}

const kept = new Map<number, { readonly object: object } | WeakRef<object>>()

const collected = new FinalizationRegistry<Registration>((registration) => registration.revoke())

/** The object of a registration of this thread; undefined where it was revoked or collected. */
function objectHere(number: number): object | undefined {
  const entry = kept.get(number)
  return entry instanceof WeakRef ? entry.deref() : entry?.object
}

class OwnRegistration implements Registration {
  readonly #name: string
  readonly #number: number

  constructor(name: string, number: number) {
    this.#name = name
    this.#number = number
  }

  get name(): string {
    return this.#name
  }

  revoke(): void {
    kept.delete(this.#number)
    leave(this.#name, this.#number)
  }

  [Symbol.dispose](): void {
    this.revoke()
  }
}
ApartmentThreaded({ name: 'Registration' })(OwnRegistration)

const stub: Stub = {
  id: TABLE,
  name: 'objectTable',
  immediate: true,
  gate: () => undefined,
  refusal: () => undefined,
  about: () => {
    throw new TypeError('The object table has no reference of its own.')
  },
  perform(how, member, [number]) {
    if (how !== 'call' || member !== 'get') throw new TypeError(`The object table has no ${member}.`)
    const object = objectHere(number as number)
    const refusal = object && refusalOf(object)
    if (refusal) throw refusal
    return object
  },
}
holdForEver(stub)

function checkedName(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw new TypeError(
    `The name of an object in the object table is a text, and not empty; this one is ${String(name)}.`,
  )
}

function checkObject(name: string, object: object): void {
  if ((typeof object !== 'object' && typeof object !== 'function') || object === null) {
    throw new TypeError(`objectTable.register("${name}", …) takes an object or a function; this is ${String(object)}.`)
  }
  if (typeof object === 'function' && isClass(object)) {
    throw new TypeError(
      `The class ${crossingName(object)} can't be registered as "${name}": register an object, or serve the class.`,
    )
  }
  // It says why such an object can't be handed over.
  if (modelOf(object) === 'single') marshal(object)
}

function register(name: string, object: object, { weak = false }: RegisterOptions = {}): Registration {
  checkObject(checkedName(name), object)
  const shared = !weak && modelOf(object) === 'free'
  const target = reachable(object)
  freeIfCollected(name)
  const entered = enter(name, shared ? object : undefined)
  if ('takenBy' in entered) {
    const owner = entered.takenBy === ownThreadId() ? 'this thread' : `the thread "${threadName(entered.takenBy)}"`
    throw new FlatshareError(`The name "${name}" is taken in the object table, by an object of ${owner}.`)
  }
  const { number } = entered
  const registration = new OwnRegistration(name, number)
  kept.set(number, weak ? new WeakRef(target) : { object: target })
  if (weak) collected.register(target, registration)
  return registration
}

/** Frees a name of this thread whose object was collected, before the collector's own word of it has come. */
function freeIfCollected(name: string): void {
  const found = find(name)
  if (found?.home === ownThreadId() && objectHere(found.number) === undefined) leave(name, found.number)
}

async function getByName(name: string, { timeout = 10_000, signal }: GetOptions = {}): Promise<unknown> {
  const end = performance.now() + checkedTimeout(timeout, 'timeout')
  checkedName(name)
  let last: Found | undefined
  for (let found = find(name); found; found = find(name)) {
    signal?.throwIfAborted()
    // A registration that was asked for once, in vain, is no more, though its thread has not said so.
    if (last?.number === found.number) throw unknownName(name)
    last = found
    try {
      const object = await ask(found, Math.max(0, end - performance.now()), signal)
      if (object !== undefined) return object
    } catch (error) {
      // It may have been revoked or have gone with its thread meanwhile, and perhaps another has its name.
      if (find(name)?.number === found.number) throw error
    }
  }
  throw last && !isAlive(last.home) ? goneName(name, last.home) : unknownName(name)
}

async function ask(found: Found, timeout: number, signal: AbortSignal | undefined): Promise<unknown> {
  const { home, number, value } = found
  if (home === ownThreadId()) return objectHere(number)
  if (value) return value()
  const { peer } = await meet(home, { timeout, signal })
  const settings = { timeout, ...(signal && { signal }) }
  return peer.call({ id: TABLE, name: 'objectTable' }, 'call', 'get', [number], traceCall(), settings)
}

function unknownName(name: string): FlatshareError {
  const names = registeredNames()
  const similar = similarNames(name, names)
  const hint =
    similar.length > 0
      ? `similar names are ${similar.map((one) => `"${one}"`).join(', ')}`
      : `it has ${names.length === 0 ? 'no entry' : names.length === 1 ? '1 entry' : `${names.length} entries`}`
  return new FlatshareError(
    `No object is registered as "${name}" in the object table; ${hint}. Entries end with the thread that made them.`,
  )
}

function goneName(name: string, home: ThreadId): FlatshareError {
  return new DisconnectedError(
    `"${name}" is no longer in the object table: it went with the thread "${threadName(home)}".`,
  )
}

/**
 * Objects that every thread of the process finds by name, as often as it wants.
 *
 * @example
 * objectTable.register('mailbox', new Mailbox()) // on one thread
 * const mailbox = await objectTable.get<Remote<Mailbox>>('mailbox') // on any
 */
export const objectTable: ObjectTable = Object.freeze({
  register,
  get: getByName,
  has: (name: string) => find(checkedName(name)) !== undefined,
  names: registeredNames,
}) as ObjectTable
