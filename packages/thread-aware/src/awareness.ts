/** Which classes are thread-aware. */
import { FlatshareError } from '@flatshare/core'
import { modelRecord, ownMemberNotes } from '@flatshare/core/internal'

const aware = new WeakSet<Function>()

export function declareAware(Class: Function): void {
  aware.add(Class)
}

function classOf(object: object): Function {
  return (object as { constructor: Function }).constructor
}

/** A class and its parents. */
export function* chain(Class: Function): Generator<Function> {
  for (let at: unknown = Class; typeof at === 'function' && at !== Function.prototype; at = Object.getPrototypeOf(at))
    yield at
}

/** A per-thread field makes sense on a thread-aware class, and on a free one: there every thread has a handle of its own. */
function allowsPerThread(Class: Function): boolean {
  if (modelRecord(Class)?.model === 'free') return true
  for (const each of chain(Class)) if (aware.has(each)) return true
  return false
}

const allowed = new WeakSet<object>()

/** @throws FlatshareError for an object whose class has per-thread fields and is not thread-aware. */
export function requireAware(object: object, member: string): void {
  const prototype = Object.getPrototypeOf(object) as object
  if (allowed.has(prototype)) return
  const Class = classOf(object)
  if (!allowsPerThread(Class)) {
    throw new FlatshareError(
      `${Class.name}.${member} is @PerThread, but the class is not thread-aware: put @ThreadAware() on it.`,
    )
  }
  allowed.add(prototype)
}

const fields = new WeakMap<Function, ReadonlySet<PropertyKey>>()

/** The per-thread fields of a class, whose decorators have run, and of its parents. */
export function perThreadFields(Class: Function): ReadonlySet<PropertyKey> {
  let keys = fields.get(Class)
  if (!keys) fields.set(Class, (keys = findFields(Class)))
  return keys
}

function findFields(Class: Function): Set<PropertyKey> {
  const keys = new Set<PropertyKey>()
  for (const each of chain(Class)) {
    for (const [key, notes] of ownMemberNotes(each)) {
      if (notes.some(({ decorator }) => decorator === 'PerThread')) keys.add(key)
    }
  }
  return keys
}
