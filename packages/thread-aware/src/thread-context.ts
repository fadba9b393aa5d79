/** The contexts as records: one's own, and all that there are. */
import { FlatshareError, type ThreadId } from '@flatshare/core'
import { threadName } from '@flatshare/core/internal'
import { perThreadFields, requireAware } from './awareness.js'
import { openContext, recordsOf } from './contexts.js'
import type { ContextRecord } from './disposing.js'
import { reveal } from './per-thread.js'

function fieldsOf(object: object): ReadonlySet<PropertyKey> {
  const Class = (object as { constructor?: unknown } | null | undefined)?.constructor
  const keys = typeof Class === 'function' ? perThreadFields(Class) : undefined
  if (keys && keys.size > 0) {
    for (const key of keys) requireAware(object, String(key))
    return keys
  }
  const name = typeof Class === 'function' ? Class.name : String(object)
  throw new FlatshareError(
    `${name} has no per-thread fields here, so no thread has a context in it. (The contexts of an object that lives on ` +
      'another thread are kept there: ask there.)',
  )
}

/**
 * The context that this thread has in a thread-aware object: its per-thread values by field. Those not
 * made yet are made. Setting one sets the field, for this thread.
 *
 * Inside a call to an object that lives on one thread, it is the context of the thread that called; so it is in a
 * callback that another thread calls. Taken before that, the record stays this thread's, whoever calls.
 *
 * @throws FlatshareError for an object without per-thread fields, a proxy among others: the contexts are at its home.
 * @throws DisconnectedError where the thread that called has ended meanwhile.
 * @example
 * const { cursor } = threadContext<{ cursor: Cursor }>(session)
 */
export function threadContext<C extends object = ContextRecord>(object: object): C {
  const keys = fieldsOf(object)
  const context = openContext(object)
  for (const key of keys) {
    reveal(object, key)
    context[key] = (object as any)[key] as unknown
  }
  return context as C
}

/** What one thread has in an object. */
export interface ThreadContext {
  readonly thread: { readonly id: ThreadId; readonly name: string }
  /** The values by field, as they are now; those that the thread hasn't used yet are missing. */
  readonly values: Readonly<Record<PropertyKey, unknown>>
}

/**
 * The contexts that are kept on this thread for an object, by the threads that use it, for inspection. It makes none,
 * and no value.
 *
 * An apartment-threaded object's are all at its home, those of its callers included. Of a free-threaded object each
 * thread keeps its own and knows of no other.
 *
 * @throws FlatshareError for an object without per-thread fields, a proxy among others: the contexts are at its home.
 * @example
 * for (const { thread, values } of contextsOf(table)) console.log(thread.name, values.cursor)
 */
export function contextsOf(object: object): ThreadContext[] {
  fieldsOf(object)
  return recordsOf(object).map(([id, record]) =>
    Object.freeze({
      thread: Object.freeze({ id, name: threadName(id) }),
      values: Object.freeze({ ...record }),
    }),
  )
}
