/** What this thread serves by name. */
import { byReference, registerError } from '@flatshare/core'
import { marshalerOf } from '@flatshare/core/internal'
import { crossingName, isClass, nameServedClass } from './description.js'
import type { Directory, How } from './messages.js'
import { holdRoot, ROOT, SERVED, type Stub } from './stub.js'

type AnyClass = new (...args: any[]) => object

const classes = new Map<string, AnyClass>()
const functions = new Map<string, Function>()
const values = new Map<string, unknown>()

const list = (names: Iterable<string>) => [...names].join(', ') || 'nothing'

const root: Stub & { readonly object: object } = {
  id: ROOT,
  name: 'served',
  object: Object.freeze({}),
  gate: () => undefined,
  refusal: () => undefined,
  about: () => directory(),
  perform(how: How, member: string, args: unknown[]): unknown {
    if (how === 'create') return create(member, args)
    if (how === 'get' && values.has(member)) {
      const value = values.get(member)
      if (typeof value !== 'object' || value === null || marshalerOf(value) || isCopied(value)) return value
      return byReference(value)
    }
    const fn = how === 'call' ? functions.get(member) : undefined
    if (!fn) throw new TypeError(`Nothing is served here under the name "${member}": ${list(functions.keys())} is.`)
    return Reflect.apply(fn, undefined, args)
  },
}
holdRoot(root)

const copiedClasses = [Date, RegExp, Map, Set, ArrayBuffer, SharedArrayBuffer, Blob]

/** What structured clone carries whole is worth more as itself than as a proxy; shared memory above all. */
function isCopied(value: object): boolean {
  return ArrayBuffer.isView(value) || copiedClasses.some((Class) => value instanceof Class)
}

function create(name: string, args: unknown[]): object {
  const Class = classes.get(name) ?? [...classes.values()].find((served) => crossingName(served) === name)
  if (!Class) {
    throw new TypeError(`No class "${name}" is served here: ${list(classes.keys())} can be created.`)
  }
  const object = Reflect.construct(Class, args) as object
  // Whoever serves a class means its objects to be used from afar, whether it is decorated or not.
  return marshalerOf(object) ? object : byReference(object)
}

export function directory(): Directory {
  return [SERVED, 'served', [...functions.keys()], [...values.keys()]]
}

export function servesAnything(): boolean {
  return classes.size + functions.size + values.size > 0
}

/** Adds to what is served. */
export function addServed(exposed: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(exposed)) {
    if (name === 'then') continue
    if (typeof value !== 'function') values.set(name, value)
    else if (!isClass(value)) functions.set(name, value)
    else {
      classes.set(name, value as AnyClass)
      if (name !== 'default') nameServedClass(value, name)
      if (value.prototype instanceof Error) registerError({ [name]: value as never })
    }
  }
}
