/**
 * What other threads may reach of an object: public methods and accessors of its class chain.
 *
 * Never `constructor`, anything that `Object.prototype` has, `then` (it would make every proxy look like a
 * promise), symbols, private `#` members, or what is marked `@Hidden`. A plain object has its own
 * enumerable properties instead: functions as methods, the rest as getters.
 */
import { type MemberNotes, modelRecord, ownMemberNotes } from '@flatshare/core/internal'

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
  return servedNames.get(Class) ?? modelRecord(Class)?.name ?? Class.name
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
