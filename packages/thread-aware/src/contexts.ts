/**
 * The contexts: for each object and each thread that uses it, a record of per-thread values.
 *
 * Which thread uses the object depends on where its code runs. A free-threaded object runs on the thread that uses it,
 * and every thread has a handle of its own, so its contexts have one owner: this thread. The methods of any other object
 * run at its home, on behalf of the thread that called; its contexts are all here, one a caller.
 *
 *   object ──(weak)──▸ Contexts { own record, records of other threads }
 *   this thread ─────▸ the Contexts that have something to dispose of (weak)
 *   other thread ────▸ the Contexts that have a record of it (weak)
 *
 * What ends a record, and disposes of its values
 *
 *   the object is disposed of          all its records on this thread
 *   another thread ends, in any way    its records here, as soon as this thread's event loop hears of it
 *   this thread ends by itself         all records here, without awaiting; `terminate()` lets no code run
 *
 * Nothing here keeps an object alive, and no value keeps its object from being collected, even if it refers to it. So
 * an object that is merely collected takes its values along without disposing of them.
 */
import { DisconnectedError, onThreadExit } from '@flatshare/core'
import {
  callingThread,
  hasThreadEnded,
  marshalerOf,
  onObjectEnd,
  onOwnExit,
  ownThreadId,
  runsForItself,
  type ThreadId,
  threadName,
} from '@flatshare/core/internal'
import { type ContextRecord, disposeNow, disposeOf, isDisposable, report } from './disposing.js'
import { WeakBag } from './weak-bag.js'

class Contexts {
  own: ContextRecord | undefined
  others: Map<ThreadId, ContextRecord> | undefined
  isNoted = false
  /** Whether nobody but the fields changes this thread's record, so that they may keep what is in it. */
  isQuick = true

  constructor(readonly isFree: boolean) {}

  *records(): Generator<[ThreadId, ContextRecord]> {
    if (this.own) yield [ownThreadId(), this.own]
    if (this.others) yield* this.others
  }

  /** Takes all records away, this thread's last: it made the object. */
  take(): ContextRecord[] {
    const records = [...this.records()].map(([, record]) => record).reverse()
    this.own = this.others = undefined
    this.isQuick = false
    return records
  }
}

const byObject = new WeakMap<object, Contexts>()
const byThread = new Map<ThreadId, WeakBag<Contexts>>()

/** This thread's own value of a field, as the field itself keeps it: it saves the way through the record. */
export interface Cell {
  readonly contexts: Contexts
  readonly value: unknown
}

/** Whether a cell has the value of the thread on whose behalf the code runs. It is the fast path of every field. */
export function isOwn({ contexts }: Cell): boolean {
  return contexts.isQuick && (contexts.isFree || runsForItself())
}

/** Has a field keep a value in a cell, if it is this thread's own. */
export function keepCell(cells: WeakMap<object, Cell>, object: object, value: unknown): void {
  const contexts = byObject.get(object)
  if (contexts && isOwn({ contexts, value })) cells.set(object, { contexts, value })
}

/** Somebody gets the record itself, and may change it: fields keep nothing of it from now on. */
export function openContext(object: object): ContextRecord {
  const context = contextOf(object)
  byObject.get(object)!.isQuick = false
  // What is put there may have to be disposed of.
  noteDisposable(object)
  return context
}

/** The record of the thread on whose behalf the code runs, if there is one. */
export function knownContext(object: object): ContextRecord | undefined {
  const contexts = byObject.get(object)
  if (contexts === undefined) return undefined
  if (contexts.isFree) return contexts.own
  const thread = callingThread()
  return thread === ownThreadId() ? contexts.own : contexts.others?.get(thread)
}

/** The record of the thread on whose behalf the code runs; made if there is none. */
export function contextOf(object: object): ContextRecord {
  return knownContext(object) ?? makeContext(object)
}

function makeContext(object: object): ContextRecord {
  let contexts = byObject.get(object)
  if (!contexts) byObject.set(object, (contexts = new Contexts(marshalerOf(object)?.model === 'free')))
  const thread = contexts.isFree ? ownThreadId() : callingThread()
  if (thread === ownThreadId()) return (contexts.own = {})
  if (hasThreadEnded(thread)) throw gone(object, thread)
  const record: ContextRecord = {}
  contexts.others ??= new Map()
  contexts.others.set(thread, record)
  noteThread(thread, contexts)
  return record
}

function gone(object: object, thread: ThreadId): DisconnectedError {
  const name = object.constructor.name
  return new DisconnectedError(
    `The thread "${threadName(thread)}", for which this call of ${name} runs, has ended, and its context in the ` +
      'object with it. Look at currentCall().signal before going on after an await.',
    { mayHaveRun: true },
  )
}

/** Puts a value into the record of the thread on whose behalf the code runs. */
export function keepValue(object: object, key: PropertyKey, value: unknown): void {
  contextOf(object)[key] = value
  if (isDisposable(value)) noteDisposable(object)
}

let watching = false

function noteThread(thread: ThreadId, contexts: Contexts): void {
  if (!watching) {
    watching = true
    // The users' kind of listener: it is called from the event loop, never in the midst of code that blocks.
    onThreadExit(({ id }) => endThread(id))
  }
  let all = byThread.get(thread)
  if (!all) byThread.set(thread, (all = new WeakBag()))
  all.add(contexts)
}

function endThread(thread: ThreadId): void {
  const all = byThread.get(thread)
  byThread.delete(thread)
  for (const contexts of all?.takeAll() ?? []) {
    const record = contexts.others?.get(thread)
    contexts.others?.delete(thread)
    if (record) void disposeOf([record]).then((errors) => errors.forEach(report))
  }
}

const withDisposables = new WeakBag<Contexts>()
let awaitsEnd = false

/** An object's contexts have something that is to be disposed of at the end of this thread. */
function noteDisposable(object: object): void {
  const contexts = byObject.get(object)!
  if (contexts.isNoted) return
  contexts.isNoted = true
  withDisposables.add(contexts)
  if (awaitsEnd) return
  awaitsEnd = true
  onOwnExit(() => {
    const errors = disposeNow(withDisposables.takeAll().flatMap((each) => each.take()))
    if (errors.length > 0) throw errors[0]
  })
}

function takeRecords(object: object): ContextRecord[] {
  const contexts = byObject.get(object)
  byObject.delete(object)
  return contexts?.take() ?? []
}

/** The object ends: all its contexts on this thread do. Gives what went wrong. */
export function endContexts(object: object): unknown[] {
  return disposeNow(takeRecords(object))
}

/** As `endContexts`; it awaits values that are disposed of asynchronously. */
export function endContextsAsync(object: object): Promise<unknown[]> {
  return disposeOf(takeRecords(object))
}

// A free-threaded object's handle on this thread is given up.
onObjectEnd((object) => endContexts(object).forEach(report))

/** The records of an object that there are on this thread, by their threads. */
export function recordsOf(object: object): Array<[ThreadId, ContextRecord]> {
  return [...(byObject.get(object)?.records() ?? [])].sort(([a], [b]) => a - b)
}
