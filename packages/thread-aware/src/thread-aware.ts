import { describeMember, memberNotes, modelRecord, ownMemberNotes } from '@flatshare/core/internal'
import { chain, declareAware, perThreadFields } from './awareness.js'
import { endWithObject } from './end-with-object.js'
import { noteOf, type PerThreadFactory, wrapToReveal } from './per-thread.js'

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
 *
 * A context ends, and its values are disposed of by their `[Symbol.dispose]` or `[Symbol.asyncDispose]`:
 * - with its thread, however that ends, where the context is kept by another one: the contexts that callers have in
 *   an object are kept at the object's home. A thread that ends by itself (by `process.exit` or an uncaught error as
 *   well) disposes of what it keeps, without awaiting; one that is terminated runs no code any more, so what it keeps
 *   vanishes with its heap.
 * - with the object: when the object's own `[Symbol.dispose]` or `[Symbol.asyncDispose]` has returned or resolved, all
 *   contexts on that thread are disposed of, after the latter one awaited. An object that is merely collected takes
 *   its contexts with it, without disposing of their values.
 *
 * Between two calls of a thread, and across `await` where the runtime has an async context (Node, Deno, Bun), a call
 * keeps the context of its caller. In browsers, take what is needed before the first `await`:
 * `const { cursor } = threadContext(this)`.
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
  const isFree = modelRecord(Class)?.model === 'free'
  if (!context && !isFree) for (const key of perThreadFields(Class)) wrapToReveal(prototype, key)
  // The synchronous one of a free class is the end of this thread's handle, of which it tells by itself.
  if (!isFree) endWithObject(prototype, Symbol.dispose)
  endWithObject(prototype, Symbol.asyncDispose)
}
