import { FlatshareError } from '@flatshare/core'
import { describeMember, memberNotes, modelRecord, ownMemberNotes, wrapMember } from '@flatshare/core/internal'
import { chain, classOf, declareAware, perThreadFields, requireAware } from './awareness.js'
import { type ContextRecord, contextOf, endContexts } from './contexts.js'
import { noteOf, type PerThreadFactory, reveal, wrapToReveal } from './per-thread.js'

/** What `@ThreadAware` takes; with it, it needs no member decorators. */
export interface ThreadAwareDescription {
  /** Per-thread fields and what makes their values, as `@PerThread(factory)` on each would say. */
  perThread?: Readonly<Record<string, PerThreadFactory>>
}

type AnyClass = abstract new (...args: any[]) => object

/**
 * Makes a class thread-aware: each thread that uses an object has a context of its own there, the values
 * of its `@PerThread` fields, made at first use.
 *
 * It is no threading model: it goes beside `@FreeThreaded`, `@ApartmentThreaded` or none, in either order.
 * A context ends with its thread, and with the object: if the class has a `[Symbol.dispose]` or
 * `[Symbol.asyncDispose]` method, all contexts on that thread are disposed when it has returned. An
 * object that is merely collected takes its contexts with it, without disposing them.
 *
 * @example
 * @ThreadAware() @ApartmentThreaded()
 * class Store { @PerThread(() => new Cursor()) cursor!: Cursor }
 * @example
 * ThreadAware({ perThread: { cursor: () => new Cursor() } })(Store) // plain JavaScript
 */
export function ThreadAware(
  description?: ThreadAwareDescription,
): (Class: AnyClass, context?: ClassDecoratorContext) => void
export function ThreadAware(Class: AnyClass, context?: ClassDecoratorContext): void
export function ThreadAware(first: ThreadAwareDescription | AnyClass = {}, context?: ClassDecoratorContext): unknown {
  if (typeof first === 'function') return decorate(first, {}, context)
  return (Class: AnyClass, context?: ClassDecoratorContext) => decorate(Class, first, context)
}

function decorate(Class: Function, { perThread = {} }: ThreadAwareDescription, context?: ClassDecoratorContext): void {
  const prototype = Class.prototype as object
  declareAware(Class)
  for (const [key, factory] of Object.entries(perThread)) {
    if (typeof factory !== 'function') throw new TypeError(`perThread.${key} must be a function that makes the value.`)
    describeMember(prototype, key, noteOf(factory))
  }
  for (const each of chain(Class)) {
    for (const [key, notes] of each === Class ? memberNotes(Class, context) : ownMemberNotes(each)) {
      for (const note of notes) if (typeof note['install'] === 'function') note['install'](prototype, key)
    }
  }
  // Not in the standard dialect, whose fields have initialisers of their own, nor on a free class, which
  // adopts such fields by itself.
  if (!context && modelRecord(Class)?.model !== 'free') {
    for (const key of perThreadFields(Class)) wrapToReveal(prototype, key)
  }
  endWithObject(prototype, Symbol.dispose)
  endWithObject(prototype, Symbol.asyncDispose)
}

/** The object's own dispose runs first: it may still use its contexts. */
function endWithObject(prototype: object, key: typeof Symbol.dispose | typeof Symbol.asyncDispose): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key)
  if (typeof descriptor?.value !== 'function') return
  wrapMember(
    prototype,
    key,
    descriptor,
    (fn) =>
      function (this: object, ...args: unknown[]): unknown {
        let result: unknown
        try {
          result = Reflect.apply(fn, this, args)
        } catch (error) {
          endContexts(this)
          throw error
        }
        if (!(result instanceof Promise)) {
          endContexts(this)
          return result
        }
        return result.finally(() => endContexts(this))
      },
  )
}

/**
 * The context that this thread has in a thread-aware object: its per-thread values by field. Those not
 * made yet are made. Setting one sets the field, for this thread.
 *
 * Inside a call to an object that lives on one thread, it is the context of the thread that called.
 *
 * @throws FlatshareError for an object without per-thread fields.
 * @example
 * const { cursor } = threadContext<{ cursor: Cursor }>(session)
 */
export function threadContext<C extends object = ContextRecord>(object: object): C {
  const keys = perThreadFields(classOf(object))
  if (keys.size === 0) {
    throw new FlatshareError(`${classOf(object).name} has no per-thread fields: no thread has a context in it.`)
  }
  const context = contextOf(object)
  for (const key of keys) {
    requireAware(object, String(key))
    reveal(object, key)
    context[key] = (object as any)[key] as unknown
  }
  return context as C
}
