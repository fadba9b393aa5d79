/**
 * The contexts: for each object and each thread that uses it, a record of per-thread values.
 *
 * Which thread uses the object depends on where its code runs. A free-threaded object runs on the thread
 * that uses it, and every thread has a handle of its own, so its contexts have one owner: this thread.
 * The methods of any other object run at its home, on behalf of the thread that called; its contexts are
 * all here, one a caller.
 *
 *   object ──(weak)──▸ Contexts { thread → record }
 *   thread ──────────▸ the Contexts that have a record of it (weak)
 *
 * Nothing here keeps an object alive, and no value keeps its object from being collected, even if it
 * refers to it.
 */
import { callingThread, marshalerOf, onThreadExitInternal, ownThreadId, type ThreadId } from '@flatshare/core/internal'

/** The per-thread values of one object on one thread; those not made yet are missing. */
export type ContextRecord = Record<PropertyKey, unknown>

type Contexts = Map<ThreadId, ContextRecord>

const byObject = new WeakMap<object, Contexts>()
const byThread = new Map<ThreadId, Set<WeakRef<Contexts>>>()

/** On whose behalf the running code uses the object. */
function userOf(object: object): ThreadId {
  return marshalerOf(object)?.model === 'free' ? ownThreadId() : callingThread()
}

/** The record of the thread on whose behalf the code runs; made if there is none. */
export function contextOf(object: object): ContextRecord {
  let contexts = byObject.get(object)
  if (!contexts) byObject.set(object, (contexts = new Map()))
  const thread = userOf(object)
  let record = contexts.get(thread)
  if (!record) {
    contexts.set(thread, (record = {}))
    if (thread !== ownThreadId()) watch(thread, contexts)
  }
  return record
}

let watching = false

function watch(thread: ThreadId, contexts: Contexts): void {
  if (!watching) {
    watching = true
    onThreadExitInternal(({ id }) => endThreadsContexts(id))
  }
  let all = byThread.get(thread)
  if (!all) byThread.set(thread, (all = new Set()))
  for (const ref of all) if (ref.deref() === undefined) all.delete(ref)
  all.add(new WeakRef(contexts))
}

function endThreadsContexts(thread: ThreadId): void {
  const all = byThread.get(thread)
  if (!all) return
  byThread.delete(thread)
  for (const ref of all) {
    const contexts = ref.deref()
    const record = contexts?.get(thread)
    contexts?.delete(thread)
    if (record) disposeValues(record)
  }
}

/** The object ends: all its contexts on this thread do. */
export function endContexts(object: object): void {
  const contexts = byObject.get(object)
  if (!contexts) return
  byObject.delete(object)
  for (const record of contexts.values()) disposeValues(record)
}

/** In the opposite order of their making. What fails is reported as an uncaught error, and stops nothing. */
function disposeValues(record: ContextRecord): void {
  for (const key of Reflect.ownKeys(record).reverse()) {
    const value = record[key] as Partial<Disposable & AsyncDisposable> | null | undefined
    if (typeof value !== 'object' || value === null) continue
    try {
      if (value[Symbol.dispose]) value[Symbol.dispose]!()
      else void value[Symbol.asyncDispose]?.()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}
