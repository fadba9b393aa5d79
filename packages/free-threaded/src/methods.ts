/** Wrapping a class's methods and accessors so that they run under the object's lock. */
import { FlatshareError } from '@flatshare/core'
import { type FunctionKind, functionKind, type MemberNotes, ownMemberNotes, wrapMember } from '@flatshare/core/internal'
import { adopt } from './adoption.js'
import { runInside } from './async-hold.js'
import { addressOf, isAttached } from './handle.js'
import { enter, leave, REENTERED } from './object-lock.js'
import { classesOf, label, type Shape } from './shape.js'

/**
 * Wraps the own members of a class, and of the undecorated classes between it and its nearest
 * free-threaded parent (whose members are wrapped already).
 *
 * @throws FlatshareError for generators: their code runs between two calls, when nobody holds the lock.
 */
export function wrapMembers(shape: Shape, notes: MemberNotes, unlocked: ReadonlySet<PropertyKey>): void {
  const seen = new Set<PropertyKey>(['constructor'])
  for (const Class of classesOf(shape.Class)) {
    const members = Class === shape.Class ? notes : ownMemberNotes(Class)
    const prototype = Class.prototype as object
    for (const key of Reflect.ownKeys(prototype)) {
      if (seen.has(key)) continue
      seen.add(key)
      const said = members.get(key)?.map(({ decorator }) => decorator) ?? []
      if (shape.slots.has(key) || said.includes('PerThread')) continue
      if (said.includes('Unlocked') || (Class === shape.Class && unlocked.has(key))) continue
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key)!
      wrapMember(shape.prototype, key, descriptor, (fn) => underLock(fn, `${shape.name}.${label(key)}`))
    }
  }
}

function underLock(fn: Function, member: string): Function {
  const kind = functionKind(fn)
  if (kind === 'plain') return lockedMethod(fn, member)
  if (kind === 'async') return lockedAsyncMethod(fn, member)
  throw generatorRefused(member, kind)
}

/**
 * On synchronous methods that take the lock, for `nonBlocking`: it has to take it first. A property, since
 * whoever wraps the wrapper copies those.
 */
const LOCKS = Symbol('flatshare.locks')

export function locksSynchronously(fn: Function): boolean {
  return LOCKS in fn
}

function lockedMethod(fn: Function, member: string): Function {
  const what = () => member
  const method = function (this: object, ...args: unknown[]): unknown {
    let address = addressOf(this)
    if (address <= 0) address = adopt(this)
    const entry = enter(address, what)
    // Whoever entered first explains errors, and looks at the result.
    if (entry === REENTERED) return fn.apply(this, args)
    try {
      const result: unknown = fn.apply(this, args)
      if (typeof result === 'object' && result !== null) refusePromise(result, member)
      return result
    } catch (error) {
      throw explained(error, this, member)
    } finally {
      leave(address, entry)
    }
  }
  Object.defineProperty(method, LOCKS, { value: true })
  return method
}

function lockedAsyncMethod(fn: Function, member: string): Function {
  const what = () => member
  return async function (this: object, ...args: unknown[]): Promise<unknown> {
    let address = addressOf(this)
    if (address <= 0) address = adopt(this)
    try {
      return await runInside(address, what, () => fn.apply(this, args) as unknown)
    } catch (error) {
      throw explained(error, this, member)
    }
  }
}

/** A promise given by synchronous code is work that goes on after the lock was released. */
export function refusePromise(result: object, member: string): void {
  if (typeof (result as { then?: unknown }).then !== 'function') return
  Promise.resolve(result).catch(() => {})
  throw new FlatshareError(
    `${member} gave a promise but is no async function: its lock would end before its work. ` +
      'Declare it async (and compile to ES2017 or later, so that it stays async), or mark it @Unlocked().',
  )
}

/** How the engines say that an object has no such # member. */
const PRIVATE_MISSING = /private (member|field|method|name)|class did not declare it|must be an instance of class/

/** On an attached object neither constructor nor field initialisers ran: there are no # members. */
function explained(error: unknown, object: object, member: string): unknown {
  if (!(error instanceof TypeError)) return error
  if (/not extensible/.test(error.message)) {
    return new FlatshareError(
      `${member} adds a field to an object that other threads hold; they would not see it. Declare the field, and ` +
        'decorate it with @Shared(type) or @PerThread().',
      { cause: error },
    )
  }
  if (!isAttached(object) || !PRIVATE_MISSING.test(error.message)) return error
  return new FlatshareError(
    `${member} uses a # member, and this object was made on another thread: # members exist only where the ` +
      'constructor ran. Keep state in @Shared(type) fields, or in @PerThread() ones, which each thread makes for itself.',
    { cause: error },
  )
}

function generatorRefused(member: string, kind: FunctionKind): FlatshareError {
  return new FlatshareError(
    `${member} can't be ${kind === 'generator' ? 'a generator' : 'an async generator'}: its code runs between its ` +
      "caller's steps, and no lock can be held for that long. Give back an array, or mark it @Unlocked().",
  )
}
