/**
 * What other threads may reach of an object: public methods and accessors of its class chain.
 *
 * Never `constructor`, anything that `Object.prototype` has, `then` (it would make every proxy look like a
 * promise), symbols but `Symbol.asyncDispose`, private `#` members, or what is marked `@Hidden`. A plain object has its own
 * enumerable properties instead: functions as methods, the rest as getters.
 */
import { type MemberNotes, modelRecord, ownMemberNotes, ownModelRecord } from '@flatshare/core/internal'

export interface Description {
  /** Names it among the descriptions of this thread. */
  readonly id: number
  readonly name: string
  readonly methods: ReadonlySet<string>
  readonly getters: ReadonlySet<string>
  /** Whether calls of a member don't queue. */
  interleaves(member: string): boolean
}

/** What the description form of the class decorator says of members. */
export interface SaidOfClass {
  readonly hidden?: readonly string[]
  readonly interleaved?: boolean | readonly string[]
}

/** Under which the one symbol that is reachable, for `await using` of a proxy, goes in messages. */
const ASYNC_DISPOSE = '[Symbol.asyncDispose]'

/** The key of a member that messages name. */
export function memberKey(member: string): string | typeof Symbol.asyncDispose {
  return member === ASYNC_DISPOSE ? Symbol.asyncDispose : member
}

const said = new WeakMap<Function, SaidOfClass>()
const servedNames = new WeakMap<Function, string>()
const ofPrototype = new WeakMap<object, Description>()
const ofShape = new Map<string, Description>()
let lastId = 0

/** Notes what was said of a class when it was decorated. */
export function sayOfClass(Class: Function, what: SaidOfClass): void {
  said.set(Class, { ...said.get(Class), ...what })
}

/** Notes the name under which a class is served: it survives minifiers. */
export function nameServedClass(Class: Function, name: string): void {
  if (!servedNames.has(Class)) servedNames.set(Class, name)
}

export function isClass(x: Function): boolean {
  return modelRecord(x) !== undefined || /^class\b/.test(Function.prototype.toString.call(x))
}

/** The name under which a class crosses. */
export function crossingName(Class: Function): string {
  const declared = ownModelRecord(Class)?.name
  // A name that its decorator was given, else the one under which it is served: both survive minifiers.
  return (declared !== Class.name ? declared : undefined) ?? servedNames.get(Class) ?? Class.name
}

export function describe(object: object): Description {
  const prototype = Object.getPrototypeOf(object) as object | null
  if (prototype === null || prototype === Object.prototype) return describeShape(object)
  let description = ofPrototype.get(prototype)
  if (!description) ofPrototype.set(prototype, (description = describeChain(prototype)))
  return description
}

const never = (key: string) => key === 'then' || key in Object.prototype

function describeShape(object: object): Description {
  const methods: string[] = []
  const getters: string[] = []
  for (const key of Object.keys(object)) {
    if (never(key)) continue
    const { value } = Object.getOwnPropertyDescriptor(object, key)!
    ;(typeof value === 'function' ? methods : getters).push(key)
  }
  const shape = JSON.stringify([methods, getters])
  let description = ofShape.get(shape)
  if (!description) {
    description = {
      id: ++lastId,
      name: 'Object',
      methods: new Set(methods),
      getters: new Set(getters),
      interleaves: () => false,
    }
    ofShape.set(shape, description)
  }
  return description
}

function describeChain(prototype: object): Description {
  const methods = new Set<string>()
  const getters = new Set<string>()
  const hidden = new Set<string>()
  const interleaved = new Set<string>()
  const seen = new Set<string>()
  let all = false
  for (let at = prototype; at && at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    const Class = Object.hasOwn(at, 'constructor') ? (at as { constructor: Function }).constructor : undefined
    if (typeof Class === 'function') {
      const notes = ownMemberNotes(Class)
      for (const key of marked(notes, 'Hidden')) hidden.add(key)
      for (const key of marked(notes, 'Interleaved')) interleaved.add(key)
      const { hidden: hide = [], interleaved: mix } = said.get(Class) ?? {}
      for (const key of hide) hidden.add(key)
      if (mix === true) all = true
      else if (mix) for (const key of mix) interleaved.add(key)
    }
    for (const key of Object.getOwnPropertyNames(at)) {
      if (seen.has(key) || never(key)) continue
      seen.add(key)
      const { value, get } = Object.getOwnPropertyDescriptor(at, key)!
      if (typeof value === 'function') methods.add(key)
      else if (get) getters.add(key)
    }
  }
  if (typeof (prototype as Partial<AsyncDisposable>)[Symbol.asyncDispose] === 'function') methods.add(ASYNC_DISPOSE)
  for (const key of hidden) {
    methods.delete(key)
    getters.delete(key)
  }
  const Class = (prototype as { constructor?: Function }).constructor
  return {
    id: ++lastId,
    name: (Class && crossingName(Class)) || 'Object',
    methods,
    getters,
    interleaves: (member) => all || interleaved.has(member),
  }
}

function* marked(notes: MemberNotes, decorator: string): Generator<string> {
  for (const [key, list] of notes) {
    if (typeof key === 'string' && list.some((note) => note.decorator === decorator)) yield key
  }
}
