import { FlatshareError } from '@flatshare/core'
import { declareModel, describeMember, type MemberNote, memberNotes, ownMemberNotes } from '@flatshare/core/internal'
import type { SharedType } from './cells/value-types.js'
import { makeShape } from './class-shape.js'
import { letDispose } from './dispose.js'
import { defineFields } from './fields.js'
import { showFields } from './inspection.js'
import { crossAsFree, keepInMemory } from './marshaling.js'
import { checkedType } from './members.js'
import { wrapMembers } from './methods.js'
import { callingModule, register } from './registry.js'
import { classesOf, label, type Shape, setShape, shapeOf } from './shape.js'

/** What `@FreeThreaded` takes; with `shared` and what follows it needs no member decorators. */
export interface FreeThreadedDescription {
  /** Under which objects cross; the same on every thread. By default the class's own, which minifiers change. */
  name?: string
  /** `import.meta.url` of the module that exports the class: a thread that gets an object and doesn't know the class loads it. */
  module?: string
  /**
   * Mends an object after a thread died inside of it: called under the lock, before the next call runs.
   * Without it that call throws an AbandonedError.
   */
  onAbandoned?: (object: any) => void
  /** The shared fields and their types, as `@Shared(type)` on each would say. */
  shared?: Readonly<Record<PropertyKey, SharedType>>
  /** Members that only read, as `@Reads()` on each would say. */
  reads?: readonly PropertyKey[]
  /** Members that read without a lock and may run twice, as `@Reads({ optimistic: true })` on each would say. */
  optimistic?: readonly PropertyKey[]
  /** Members and the group that locks them, as `@Guarded(group)` on each would say. */
  guarded?: Readonly<Record<PropertyKey, string>>
  /**
   * `'memory-only'`: objects don't leave the process. Elsewhere no memory is shared, and they would arrive as mere proxies,
   * each use of which is a call back; the call that would send one rejects with a `DowngradeError` instead. `'anywhere'`
   * by default. A subclass inherits it.
   */
  crossing?: 'memory-only' | 'anywhere'
  /** Members that run without the lock, as `@Unlocked()` on each would say. */
  unlocked?: readonly PropertyKey[]
}

type AnyClass = abstract new (...args: any[]) => object

/**
 * Makes a class free-threaded: its `@Shared` fields lie in shared memory, any thread that gets an object
 * has the object itself, and each method runs on its caller's thread under the object's lock.
 *
 * - A synchronous method that finds the lock taken blocks its thread; calls of the same object from
 *   inside go in. An async method holds the lock across `await`; others of its thread queue.
 * - A field that is neither `@Shared` nor `@PerThread` is an error at the first method call. So is a
 *   subclass that adds members and is not decorated itself.
 * - On another thread no constructor runs: the state is there. `#` members exist only where the object
 *   was made.
 * - After a thread has ended inside a method, one call throws an AbandonedError; then the object is
 *   usable again, with whatever state it has.
 *
 * The class is not replaced: its methods are wrapped, its name, statics and `instanceof` stay.
 *
 * @throws FlatshareError at decoration: generator methods, unknown types, a model that contradicts the
 * parent's, a class without a name.
 * @example
 * @FreeThreaded()
 * class Account {
 *   @Shared('f64') balance = 0
 *   deposit(amount: number) { this.balance += amount }
 * }
 * @example
 * FreeThreaded({ name: 'Account', shared: { balance: 'f64' } })(Account) // plain JavaScript
 */
export function FreeThreaded(
  description?: FreeThreadedDescription,
): (Class: AnyClass, context?: ClassDecoratorContext) => void
export function FreeThreaded(Class: AnyClass, context?: ClassDecoratorContext): void
export function FreeThreaded(first: FreeThreadedDescription | AnyClass = {}, context?: ClassDecoratorContext): unknown {
  if (typeof first === 'function') return decorate(first, {}, context)
  if (typeof first !== 'object' || first === null) {
    throw new TypeError("@FreeThreaded takes nothing, or a description such as { name: 'Account' }.")
  }
  return (Class: AnyClass, context?: ClassDecoratorContext) => decorate(Class, first, context)
}

function decorate(Class: Function, description: FreeThreadedDescription, context?: ClassDecoratorContext): void {
  const prototype = Class.prototype as object | undefined
  if (typeof prototype !== 'object') throw new TypeError('@FreeThreaded decorates a class, and this is none.')
  const name = description.name || Class.name || context?.name
  checkOptions(description, name ?? 'a class')
  for (const [key, note] of notesOf(description, name)) describeMember(prototype, key, note)
  if (shapeOf(prototype)?.Class === Class) throw new FlatshareError(`${name} is decorated with @FreeThreaded twice.`)
  const parent = shapeOf(prototype)
  if (parent?.isContainer) {
    throw new FlatshareError(
      `${name} extends ${parent.name}, which has no room for fields: keep a ${parent.name} in a field instead, ` +
        `@Shared(${parent.name}).`,
    )
  }
  const record = declareModel(Class, 'free', name ? { name } : {})
  const notes = memberNotes(Class, context)
  const shape = makeShape(Class, record.name, notes, callingModule(), description)
  checkNames(shape, description)
  wrapMembers(shape, notes, new Set(description.unlocked))
  setShape(shape)
  letDispose(shape)
  defineFields(shape)
  for (const each of classesOf(Class)) {
    for (const [key, list] of each === Class ? notes : ownMemberNotes(each)) {
      for (const note of list) if (typeof note['install'] === 'function') note['install'](prototype, key)
    }
  }
  showFields(shape)
  crossAsFree(prototype)
  if (description.crossing === 'memory-only') keepInMemory(prototype)
  register(shape)
}

function checkOptions({ module, onAbandoned, crossing, ...description }: FreeThreadedDescription, name: string): void {
  if (crossing !== undefined && crossing !== 'memory-only' && crossing !== 'anywhere') {
    throw new TypeError(`crossing of ${name} is 'memory-only' or 'anywhere'; this one is ${String(crossing)}.`)
  }
  const { reads = [], optimistic = [], unlocked = [], shared = {}, guarded = {} } = description
  for (const [option, keys] of Object.entries({ reads, optimistic, unlocked })) {
    if (!Array.isArray(keys)) throw new TypeError(`${option} of ${name} is a list of members: { ${option}: ['…'] }.`)
  }
  for (const [option, members] of Object.entries({ shared, guarded })) {
    if (typeof members === 'object' && (members as object | null) !== null) continue
    throw new TypeError(`${option} of ${name} is an object, what it says of each member: { ${option}: { … } }.`)
  }
  if (module !== undefined && typeof module !== 'string') {
    throw new TypeError(`The module of ${name} is a text: @FreeThreaded({ module: import.meta.url }).`)
  }
  if (module !== undefined && !ABSOLUTE.test(module)) {
    throw new TypeError(
      `The module of ${name} is '${module}', and other threads would look for that beside another file: give its ` +
        'whole address, @FreeThreaded({ module: import.meta.url }).',
    )
  }
  if (onAbandoned !== undefined && typeof onAbandoned !== 'function') {
    throw new TypeError(`onAbandoned of ${name} is a function: @FreeThreaded({ onAbandoned: (object) => { … } }).`)
  }
}

/** An address, or a path from the root. */
const ABSOLUTE = /^(?:[a-z][a-z0-9+.-]*:|[\\/])/i

/** @throws TypeError for members that the class doesn't have: whoever misspells one would run without what they asked for. */
function checkNames({ name, prototype, slots }: Shape, description: FreeThreadedDescription): void {
  const { reads = [], optimistic = [], guarded = {}, unlocked = [] } = description
  for (const [option, keys] of Object.entries({ reads, optimistic, unlocked, guarded: Reflect.ownKeys(guarded) })) {
    for (const key of keys) {
      if (slots.has(key) || key in prototype) continue
      throw new TypeError(`${option} of ${name} names ${label(key)}, and the class has no such member.`)
    }
  }
  for (const key of Reflect.ownKeys(guarded)) {
    const group: unknown = guarded[key]
    if (typeof group === 'string' && group !== '') continue
    throw new TypeError(`${name}.${label(key)} is guarded by a name, such as 'stats', not ${String(group)}.`)
  }
}

/** What a description says of members, as their decorators would note it. */
function* notesOf(description: FreeThreadedDescription, name = 'a class'): Generator<[PropertyKey, MemberNote]> {
  const { shared = {}, reads = [], optimistic = [], guarded = {}, unlocked = [] } = description
  for (const key of Reflect.ownKeys(shared)) {
    yield [key, { decorator: 'Shared', type: checkedType(shared[key], `${name}.${label(key)}`) }]
  }
  for (const key of Reflect.ownKeys(guarded)) yield [key, { decorator: 'Guarded', group: guarded[key] }]
  for (const key of reads) yield [key, { decorator: 'Reads', optimistic: false }]
  for (const key of optimistic) yield [key, { decorator: 'Reads', optimistic: true }]
  for (const key of unlocked) yield [key, { decorator: 'Unlocked' }]
}
