import { FlatshareError } from '@flatshare/core'
import { declareModel, describeMember, type MemberNote, memberNotes, ownMemberNotes } from '@flatshare/core/internal'
import { defineFields } from './fields.js'
import { showFields } from './inspection.js'
import { crossAsFree } from './marshaling.js'
import { checkedType } from './members.js'
import { wrapMembers } from './methods.js'
import { callingModule, register } from './registry.js'
import type { SharedType } from './scalar-types.js'
import { classesOf, makeShape, setShape, shapeOf } from './shape.js'

/** What `@FreeThreaded` takes; with `shared` and `unlocked` it needs no member decorators. */
export interface FreeThreadedDescription {
  /** Under which objects cross; the same on every thread. By default the class's own, which minifiers change. */
  name?: string
  /** The shared fields and their types, as `@Shared(type)` on each would say. */
  shared?: Readonly<Record<string, SharedType>>
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
  const prototype = Class.prototype as object
  const name = description.name || Class.name || context?.name
  for (const [key, type] of Object.entries(description.shared ?? {})) {
    const note: MemberNote = { decorator: 'Shared', type: checkedType(type, `${name}.${key}`) }
    describeMember(prototype, key, note)
  }
  if (shapeOf(prototype)?.Class === Class) throw new FlatshareError(`${name} is decorated with @FreeThreaded twice.`)
  const record = declareModel(Class, 'free', name ? { name } : {})
  const notes = memberNotes(Class, context)
  const shape = makeShape(Class, record.name, notes, callingModule())
  wrapMembers(shape, notes, new Set(description.unlocked))
  setShape(shape)
  defineFields(shape)
  for (const each of classesOf(Class)) {
    for (const [key, list] of each === Class ? notes : ownMemberNotes(each)) {
      for (const note of list) if (typeof note['install'] === 'function') note['install'](prototype, key)
    }
  }
  showFields(shape)
  crossAsFree(prototype)
  register(shape)
}
