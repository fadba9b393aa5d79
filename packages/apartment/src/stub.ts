/**
 * Stubs: what stands beside each object of this thread that others may call.
 *
 * A stub lives as long as its object. It has an entry in the table, and so holds its object, while other
 * threads hold references to it.
 */
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import { type Description, describe, memberKey } from './description.js'
import { Gate } from './gate.js'
import type { About, How } from './messages.js'

export interface Stub {
  readonly id: number
  /** What errors call it. */
  readonly name: string
  /** Where calls of the member queue; undefined where they don't. */
  gate(member: string): Gate | undefined
  /**
   * Runs a call.
   *
   * @throws TypeError when nothing of that name may be called.
   */
  perform(how: How, member: string, args: unknown[]): unknown
  /** Why it takes no calls any more. */
  refusal(): DisconnectedError | undefined
  /** What the other thread must know to make a proxy. */
  about(): About
}

const stubs = new Map<number, Stub>()
const holds = new Map<number, number>()
const stubOfObject = new WeakMap<object, ObjectStub | FunctionStub>()
let lastId = 0

/** The number of what a thread serves by name. */
export const ROOT = 0
/** The description number of that: it is told anew with each link. */
export const SERVED = -1
/** The description number of all functions. */
export const FUNCTION = 0

const unreachable = (name: string, what: string, member: string) =>
  new TypeError(`${name} has no ${what} "${member}" that other threads can reach.`)

class ObjectStub implements Stub {
  readonly id = ++lastId
  readonly description: Description
  readonly #gate = new Gate()
  disconnected = false

  constructor(readonly object: object) {
    this.description = describe(object)
  }

  get name(): string {
    return this.description.name
  }

  gate(member: string): Gate | undefined {
    return this.description.interleaves(member) ? undefined : this.#gate
  }

  perform(how: How, member: string, args: unknown[]): unknown {
    const object = this.object as Record<PropertyKey, unknown>
    if (how === 'get') {
      if (!this.description.getters.has(member)) throw unreachable(this.name, 'property', member)
      return object[member]
    }
    if (how !== 'call' || !this.description.methods.has(member)) throw unreachable(this.name, 'method', member)
    return Reflect.apply(object[memberKey(member)] as Function, object, args)
  }

  refusal(): DisconnectedError | undefined {
    if (!this.disconnected) return undefined
    return new DisconnectedError(`The ${this.name} was disconnected by its owner.`, { mayHaveRun: false })
  }

  about(): About {
    const { id, name, methods, getters } = this.description
    return [id, name, [...methods], [...getters]]
  }
}

class FunctionStub implements Stub {
  readonly id = ++lastId
  disconnected = false

  constructor(readonly object: Function) {}

  get name(): string {
    return this.object.name || 'function'
  }

  gate(): undefined {}

  perform(how: How, member: string, args: unknown[]): unknown {
    if (how !== 'apply') throw unreachable(`The function ${this.name}`, 'member', member)
    return Reflect.apply(this.object, undefined, args)
  }

  refusal(): DisconnectedError | undefined {
    if (!this.disconnected) return undefined
    return new DisconnectedError(`The function ${this.name} was disconnected by its owner.`, { mayHaveRun: false })
  }

  about(): About {
    return [FUNCTION, this.name]
  }
}

/** The stub of an object or function of this thread, made at first use. */
export function stubFor(object: object): ObjectStub | FunctionStub {
  let stub = stubOfObject.get(object)
  if (!stub) {
    stub = typeof object === 'function' ? new FunctionStub(object) : new ObjectStub(object)
    stubOfObject.set(object, stub)
  }
  return stub
}

/** The object of this thread that `id` refers to. */
export function objectOf(id: number): object {
  const stub = stubs.get(id) as ObjectStub | undefined
  if (!stub?.object) throw new FlatshareError('A reference came home to an object that nobody holds any more.')
  return stub.object
}

export function stubById(id: number): Stub | undefined {
  return stubs.get(id)
}

/** Enters the stub of what is served by name; it is never let go. */
export function holdRoot(root: Stub): void {
  stubs.set(ROOT, root)
  holds.set(ROOT, Number.POSITIVE_INFINITY)
}

/** Counts references sent (or, negative, let go) to a stub. */
export function hold(id: number, references: number, stub?: Stub): void {
  const count = (holds.get(id) ?? 0) + references
  if (count > 0) {
    holds.set(id, count)
    if (stub) stubs.set(id, stub)
  } else {
    holds.delete(id)
    stubs.delete(id)
  }
}
