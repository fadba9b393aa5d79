/**
 * Stubs: what stands beside each object of this thread that others may call.
 *
 * A stub lives as long as its object. It has an entry in the table, and so holds its object, while other
 * threads hold references to it.
 */
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import { MARSHALER, type Marshaler, markUncloneable } from '@flatshare/core/internal'
import { type Description, describe, methodAt } from './description.js'
import { Gate } from './gate.js'
import type { About, How } from './messages.js'

export interface Stub {
  readonly id: number
  /** What errors call it. */
  readonly name: string
  /** Its calls run no code of users and never wait: they are served also while this thread blocks. */
  readonly immediate?: boolean
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
  /** Called once no other thread holds it; `lost` where the last one did not let go of it, but is gone. */
  unheld?: (lost: boolean) => void
  /** What the other thread must know to make a proxy. */
  about(): About
}

const stubs = new Map<number, Stub>()
const holds = new Map<number, number>()
const stubOfObject = new WeakMap<object, ObjectStub | FunctionStub>()
let lastId = 0

/** The number of what a thread serves by name. */
export const ROOT = 0
/** The number of what a thread has registered in the global object table. */
export const TABLE = -1
/** The number of what a package above has every thread serve: see `internal.ts`. */
export const ABOVE = -2
/** The description number of what a thread serves by name: it is told anew with each link. */
export const SERVED = -1
/** The description number of all functions. */
export const FUNCTION = 0

/** Calls of a function that name this as its member queue, as those of an object do. */
export const IN_TURN = 'in turn'

/** A number for a stub that stands for no object of this thread. */
export function newStubId(): number {
  return ++lastId
}

const unreachable = (name: string, what: string, member: string) =>
  new TypeError(`${name} has no ${what} "${member}" that other threads can reach.`)

export class ObjectStub implements Stub {
  readonly id = ++lastId
  unheld?: (lost: boolean) => void
  readonly description: Description
  readonly #gate = new Gate()
  #disconnected = false

  constructor(readonly object: object) {
    this.description = describe(object)
    // A copy that a raw postMessage makes would be dead: of its class, `this` has neither methods nor private fields.
    if (MARSHALER in object) {
      markUncloneable?.(object)
      // An instance of a class with a codec that is marked by reference has none.
      const unheld = (object[MARSHALER] as Marshaler | undefined)?.unheld
      if (unheld) this.unheld = (lost) => unheld(object, lost)
    }
  }

  get name(): string {
    return this.description.name
  }

  gate(member: string): Gate | undefined {
    return this.description.interleaves(member) ? undefined : this.#gate
  }

  perform(how: How, member: string, args: unknown[]): unknown {
    if (how === 'idle') return undefined
    const object = this.object as Record<PropertyKey, unknown>
    if (how === 'get') {
      if (!this.description.getters.has(member)) throw unreachable(this.name, 'property', member)
      return object[member]
    }
    if (how === 'set') {
      if (!this.description.setters.has(member)) throw unreachable(this.name, 'setter', member)
      object[member] = args[0]
      return undefined
    }
    if (how !== 'call' || !this.description.methods.has(member)) throw unreachable(this.name, 'method', member)
    return Reflect.apply(methodAt(object, member), object, args)
  }

  disconnect(): void {
    this.#disconnected = true
    this.#gate.dismiss()
  }

  refusal(): DisconnectedError | undefined {
    if (!this.#disconnected) return undefined
    return new DisconnectedError(`The ${this.name} was disconnected by its owner.`, { mayHaveRun: false })
  }

  about(): About {
    const { id, name, methods, getters, setters, generators, synchronous } = this.description
    const members = [[...methods], [...getters], [...setters], [...generators]] as const
    return synchronous.length === 0 ? [id, name, ...members] : [id, name, ...members, synchronous]
  }
}

class FunctionStub implements Stub {
  readonly id = ++lastId
  unheld?: () => void
  #disconnected = false
  #gate: Gate | undefined

  constructor(readonly object: Function) {}

  get name(): string {
    return this.object.name || 'function'
  }

  gate(member: string): Gate | undefined {
    return member === IN_TURN ? (this.#gate ??= new Gate()) : undefined
  }

  perform(how: How, member: string, args: unknown[]): unknown {
    if (how !== 'apply') throw unreachable(`The function ${this.name}`, 'member', member)
    return Reflect.apply(this.object, undefined, args)
  }

  disconnect(): void {
    this.#disconnected = true
    this.#gate?.dismiss()
  }

  refusal(): DisconnectedError | undefined {
    if (!this.#disconnected) return undefined
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

/** Calls back whenever no other thread holds a function of this thread any more. */
export function whenUnheld(fn: Function, callback: () => void): void {
  ;(stubFor(fn) as FunctionStub).unheld = callback
}

/** Why an object or function of this thread takes no calls of others any more. */
export function refusalOf(object: object): DisconnectedError | undefined {
  return stubOfObject.get(object)?.refusal()
}

/** The object of this thread that `id` refers to. */
export function objectOf(id: number): object {
  const stub = stubs.get(id) as ObjectStub | undefined
  if (!stub?.object) throw new FlatshareError('A reference came home to an object that nobody holds any more.')
  return stub.object
}

/** Lets go of what a call gave that nobody gets, where that matters: a lock's guard would keep it locked. */
export function dropResult(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !(MARSHALER in value)) return false
  const { unheld } = (value[MARSHALER] as Marshaler | undefined) ?? {}
  unheld?.(value, false)
  return unheld !== undefined
}

/** How many objects and functions of this thread others hold. */
export function heldByOthers(): number {
  let held = 0
  for (const count of holds.values()) if (count !== Number.POSITIVE_INFINITY) held++
  return held
}

export function stubById(id: number): Stub | undefined {
  return stubs.get(id)
}

/** Enters a stub that every thread has under the same number; it is never let go. */
export function holdForEver(stub: Stub): void {
  stubs.set(stub.id, stub)
  holds.set(stub.id, Number.POSITIVE_INFINITY)
}

/** Counts references sent (or, negative, let go) to a stub; `lost` with who held them. */
export function hold(id: number, references: number, stub?: Stub, lost = false): void {
  const count = (holds.get(id) ?? 0) + references
  if (count > 0) {
    holds.set(id, count)
    if (stub) stubs.set(id, stub)
  } else {
    const unheld = stubs.get(id)?.unheld
    holds.delete(id)
    stubs.delete(id)
    unheld?.(lost)
  }
}
