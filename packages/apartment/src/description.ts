/**
 * What other threads may reach of an object: public methods and accessors of its class chain.
 *
 * Never `constructor`, anything that `Object.prototype` has, `then` and `toJSON` (they would make every proxy look like
 * a promise, and call when it is printed as JSON), private `#` members, or what is marked `@Hidden`; of symbols only
 * those by which an object is closed (`Symbol.asyncDispose`) and iterated. A plain object has its own enumerable
 * properties instead: functions as methods, the rest as getters.
 */
import {
  functionKind,
  MARSHALER,
  type Marshaler,
  type MemberNotes,
  modelRecord,
  ownMemberNotes,
  ownModelRecord,
  type SynchronousMember,
  synchronousMembers,
} from '@flatshare/core/internal'

export interface Description {
  /** Names it among the descriptions of this thread. */
  readonly id: number
  readonly name: string
  readonly methods: ReadonlySet<string>
  readonly getters: ReadonlySet<string>
  readonly setters: ReadonlySet<string>
  /** The methods that surely give an iterator. */
  readonly generators: ReadonlySet<string>
  /** The members that proxies refuse where they would answer later. */
  readonly synchronous: readonly SynchronousMember[]
  /** Whether calls of a member don't queue. */
  interleaves(member: string): boolean
}

/** What the description form of the class decorator says of members. */
export interface SaidOfClass {
  /** Where the class is found. */
  readonly module?: string
  readonly hidden?: readonly string[]
  readonly interleaved?: boolean | readonly string[]
}

/** The symbols that are reachable, by the names under which they go in messages. */
const symbols: ReadonlyMap<string, symbol> = new Map([
  ['[Symbol.asyncDispose]', Symbol.asyncDispose],
  ['[Symbol.asyncIterator]', Symbol.asyncIterator],
])

/** The key of a member that messages name. */
export function memberKey(member: string): string | symbol {
  return member.startsWith('[') ? (symbols.get(member) ?? member) : member
}

/** The name under which a member goes in messages; undefined where it has none. */
function memberName(key: string | symbol): string | undefined {
  if (typeof key === 'string') return key
  // Every iteration across threads is asynchronous.
  if (key === Symbol.iterator) return '[Symbol.asyncIterator]'
  for (const [name, symbol] of symbols) if (symbol === key) return name
  return undefined
}

/** The function behind a member of an object. */
export function methodAt(object: object, member: string): Function {
  const found = (object as Record<PropertyKey, unknown>)[memberKey(member)] as Function
  if (found === undefined && member === '[Symbol.asyncIterator]') return (object as Iterable<unknown>)[Symbol.iterator]
  return found
}

const said = new WeakMap<Function, SaidOfClass>()
const servedNames = new WeakMap<Function, string>()
const ofPrototype = new WeakMap<object, Description>()
const ofShape = new Map<string, Description>()
let lastId = 0

/** Names a description that is none of a class of this thread. */
export function newDescriptionId(): number {
  return ++lastId
}

/** Notes what was said of a class when it was decorated. */
export function sayOfClass(Class: Function, what: SaidOfClass): void {
  said.set(Class, { ...said.get(Class), ...what })
}

/** The URL of the module that exports the class, where it was told. */
export function moduleOfClass(Class: Function): string | undefined {
  return said.get(Class)?.module
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

/** Whether a member of that name may be reached at all. */
export function isReachable(key: string): boolean {
  return key !== 'then' && key !== 'toJSON' && !(key in Object.prototype)
}

class Members {
  readonly methods = new Set<string>()
  readonly getters = new Set<string>()
  readonly setters = new Set<string>()
  readonly generators = new Set<string>()

  add(name: string, { value, get, set }: PropertyDescriptor): void {
    if (typeof value === 'function') {
      this.methods.add(name)
      if (functionKind(value).endsWith('generator')) this.generators.add(name)
    }
    if (get) this.getters.add(name)
    if (set) this.setters.add(name)
  }

  delete(name: string): void {
    for (const set of [this.methods, this.getters, this.setters, this.generators]) set.delete(name)
  }
}

function describeShape(object: object): Description {
  const members = new Members()
  for (const key of Object.keys(object)) {
    if (!isReachable(key)) continue
    const descriptor = Object.getOwnPropertyDescriptor(object, key)!
    members.add(key, descriptor)
    if ('value' in descriptor && typeof descriptor.value !== 'function') members.getters.add(key)
  }
  const { methods, getters, setters, generators } = members
  const shape = JSON.stringify([[...methods], [...getters], [...setters], [...generators]])
  let description = ofShape.get(shape)
  if (!description) {
    const kinds = { methods, getters, setters, generators, synchronous: [] }
    description = { id: ++lastId, name: 'Object', ...kinds, interleaves: () => false }
    ofShape.set(shape, description)
  }
  return description
}

function describeChain(prototype: object): Description {
  const members = new Members()
  const hidden = new Set<string>()
  const interleaved = new Set<string>()
  const seen = new Set<string>()
  // What any thread may use at any time guards itself. Its calls may wait for one another, as those of a lock do.
  let all = (prototype as { [MARSHALER]?: Marshaler })[MARSHALER]?.model === 'free'
  for (let at = prototype; at && at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    const Class = classOf(at)
    if (Class) {
      const notes = ownMemberNotes(Class)
      for (const key of marked(notes, 'Hidden')) hidden.add(key)
      for (const key of marked(notes, 'Interleaved')) interleaved.add(key)
      const { hidden: hide = [], interleaved: mix } = said.get(Class) ?? {}
      for (const key of hide) hidden.add(key)
      if (mix === true) all = true
      else if (mix) for (const key of mix) interleaved.add(key)
    }
    for (const key of Reflect.ownKeys(at)) {
      const name = memberName(key)
      if (name === undefined || seen.has(name) || !isReachable(name)) continue
      seen.add(name)
      members.add(name, Object.getOwnPropertyDescriptor(at, key)!)
    }
  }
  for (const name of hidden) members.delete(name)
  const { methods, getters, setters, generators } = members
  const Class = classOf(prototype)
  return {
    id: ++lastId,
    name: (Class && crossingName(Class)) || 'Object',
    methods,
    getters,
    setters,
    generators,
    synchronous: synchronousMembers(prototype),
    interleaves: (member) => all || interleaved.has(member),
  }
}

/** The class of a prototype. No getter is asked: nothing of an object's runs before it is called. */
function classOf(prototype: object): Function | undefined {
  const value = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown
  return typeof value === 'function' ? value : undefined
}

function* marked(notes: MemberNotes, decorator: string): Generator<string> {
  for (const [key, list] of notes) {
    const name = typeof key === 'number' ? undefined : memberName(key)
    if (name !== undefined && list.some((note) => note.decorator === decorator)) yield name
  }
}
