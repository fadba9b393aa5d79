/** What this thread serves by name. */
import { byReference, registerError } from '@flatshare/core'
import { functionKind, marshalerOf } from '@flatshare/core/internal'
import { crossingName, isClass, isReachable, nameServedClass } from './description.js'
import type { Directory, How } from './messages.js'
import { isModuleClass, loadClass } from './module-class.js'
import { heldByOthers, holdForEver, type ObjectStub, ROOT, refusalOf, SERVED, type Stub, stubFor } from './stub.js'

type AnyClass = new (...args: any[]) => object

/** A function or value that is served: it is read, and called, where it stands. */
interface Served {
  readonly holder: Record<string, unknown>
  readonly is: 'function' | 'value'
  readonly canBeSet: boolean
  readonly isGenerator: boolean
  /** Of the holder, where that is an object of a class: its methods queue as they would on its own proxy. */
  readonly stub?: ObjectStub
}

const classes = new Map<string, AnyClass>()
const served = new Map<string, Served>()

const list = (names: Iterable<string>) => [...names].join(', ') || 'nothing'

function namesOf(test: (entry: Served) => boolean): string[] {
  return [...served].filter(([, entry]) => test(entry)).map(([name]) => name)
}

const root: Stub & { readonly object: object } = {
  id: ROOT,
  name: 'served',
  object: Object.freeze({}),
  gate: (member) => served.get(member)?.stub?.gate(member),
  refusal: () => undefined,
  about: () => directory(),
  perform(how: How, member: string, args: unknown[]): unknown {
    if (how === 'create') return create(member, args)
    if (how === 'idle') return heldByOthers()
    const entry = served.get(member)
    const { holder, stub } = entry ?? {}
    if (entry && holder) {
      const refusal = refusalOf(holder)
      if (refusal) throw refusal
      if (stub) return stub.perform(how, member, args)
      if (how === 'get' && entry.is === 'value') return reachableValue(holder[member])
      if (how === 'set' && entry.canBeSet) {
        holder[member] = args[0]
        return undefined
      }
      if (how === 'call' && entry.is === 'function') return callServed(holder, member, args)
    }
    if (how === 'set' && entry) throw new TypeError(`What is served as "${member}" has no setter.`)
    const names = list(namesOf(({ is }) => is === (how === 'call' ? 'function' : 'value')))
    throw new TypeError(`Nothing is served here under the name "${member}": ${names} is.`)
  },
}
holdForEver(root)

function reachableValue(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? reachable(value) : value
}

function callServed(holder: Record<string, unknown>, name: string, args: unknown[]): unknown {
  const fn = holder[name] as Function
  const refusal = refusalOf(fn)
  if (refusal) throw refusal
  return Reflect.apply(fn, holder, args)
}

/** The object, for use from afar: what has no decorator and isn't worth more as a copy goes by reference. */
export function reachable(object: object): object {
  return marshalerOf(object) || isCopied(object) ? object : byReference(object)
}

const copiedClasses = [Date, RegExp, Map, Set, ArrayBuffer, SharedArrayBuffer, Blob]

/** What structured clone carries whole is worth more as itself than as a proxy; shared memory above all. */
function isCopied(value: object): boolean {
  return ArrayBuffer.isView(value) || copiedClasses.some((Class) => value instanceof Class)
}

function create(name: string, args: unknown[]): object | Promise<object> {
  const Class = classes.get(name) ?? [...classes.values()].find((served) => crossingName(served) === name)
  if (!Class) {
    if (isModuleClass(name)) return loadClass(name).then((loaded) => construct(loaded, args))
    throw new TypeError(`No class "${name}" is served here: ${list(classes.keys())} can be created.`)
  }
  return construct(Class, args)
}

/** Makes an object that others will use. */
export function construct(Class: AnyClass, args: unknown[]): object {
  const object = Reflect.construct(Class, args) as object
  // Whoever serves a class means its objects to be used from afar, whether it is decorated or not.
  return marshalerOf(object) ? object : byReference(object)
}

export function directory(): Directory {
  return [
    SERVED,
    'served',
    namesOf(({ is }) => is === 'function'),
    namesOf(({ is }) => is === 'value'),
    namesOf(({ canBeSet }) => canBeSet),
    namesOf(({ isGenerator }) => isGenerator),
  ]
}

export function servesAnything(): boolean {
  return classes.size + served.size > 0
}

/** Adds to what is served: own members of what is given, and what others reach of an object of a class. */
export function addServed(exposed: object): void {
  const holder = exposed as Record<string, unknown>
  for (const name of Object.keys(holder)) {
    if (isReachable(name)) addMember(holder, name, Object.getOwnPropertyDescriptor(holder, name)!)
  }
  const prototype = Object.getPrototypeOf(holder) as object | null
  if (prototype === null || prototype === Object.prototype) return
  const stub = stubFor(holder) as ObjectStub
  const { methods, getters, setters, generators } = stub.description
  for (const name of new Set([...methods, ...getters, ...setters])) {
    const is = methods.has(name) ? 'function' : 'value'
    served.set(name, { holder, is, canBeSet: setters.has(name), isGenerator: generators.has(name), stub })
  }
}

function addMember(holder: Record<string, unknown>, name: string, { value, set }: PropertyDescriptor): void {
  if (typeof value === 'function' && isClass(value)) {
    classes.set(name, value as AnyClass)
    if (name !== 'default') nameServedClass(value, name)
    if (value.prototype instanceof Error) registerError({ [name]: value as never })
    return
  }
  const isGenerator = typeof value === 'function' && functionKind(value).endsWith('generator')
  const is = typeof value === 'function' ? 'function' : 'value'
  served.set(name, { holder, is, canBeSet: set !== undefined, isGenerator })
}
