/**
 * Where a call was made, for the stacks of errors.
 *
 * An error that comes back has the stack of both threads: below where it was thrown, and the name of that thread (which
 * the error's marshaler writes), where the call was made, and the name of that one. An error that ends a call from this
 * side shows only where the call was made: where it was found out is no news to anybody.
 *
 * To take a stack costs more than to make a call. So a call takes one only while there are few of them: it has every
 * function on the way to the call. For any other the stack is taken when the call has failed. A thread that blocks for it
 * still stands where it called. Where it is awaited the engine tells the async functions that wait, if it is asked in the
 * right place (`failLater`).
 */
import { clock, ownThreadId, threadName } from '@flatshare/core/internal'
import { lookBegan } from './pump.js'

/** Where a call was made, if that was noted. Its stack is formatted only when it is read. */
export type CallTrace = { readonly stack?: string } | undefined

/** So many stacks may be taken at once, and afterwards one a millisecond. */
const MOST = 8
let left = MOST
/** The millisecond for which there was one last. */
let refilled = 0
/** To ask the clock costs too: where there is no other time at hand, one call in four does. */
let passed = 0

const isFrame = (line: string) => /^\s+at |@/.test(line)

export function traceCall(): CallTrace {
  return mayTrace() ? new Error() : undefined
}

function mayTrace(): boolean {
  if (left === 0 && !refill(lookBegan) && ((++passed & 3) !== 0 || !refill(clock()))) return false
  left--
  return true
}

/** The stacks that may be taken by now. */
function refill(now: number): boolean {
  const since = Math.floor(now - refilled)
  if (since <= 0) return false
  left = Math.min(since, MOST)
  refilled = now
  return true
}

/** As `traceCall`, from deeper inside of this package: with as many of the caller's frames in spite of those. */
export function traceFew(): CallTrace {
  return mayTrace() ? traceHere() : undefined
}

/** As `new Error()`, whatever it costs, and with as many of the caller's frames in spite of those of this package. */
export function traceHere(): { readonly stack?: string } {
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit + 10)
  const trace = new Error()
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  return trace
}

/** Which async functions wait for the promise that the running reaction is to settle, where the engine tells. */
function traceWaiting(): CallTrace {
  const isAsync = (line: string) => /^\s+at async |^async\*/.test(line)
  return { stack: (traceHere().stack ?? '').split('\n').filter(isAsync).join('\n') }
}

/** The caller's frames; of this package only where there are no others, as where it was bundled with the program. */
function framesOf(trace: CallTrace): string[] {
  const frames = ((trace ?? traceHere()).stack ?? '').split('\n').filter(isFrame)
  const here = import.meta.url.replace(/[^/]*$/, '')
  const callers = frames.filter((line) => !line.includes(here))
  return callers.length > 0 ? callers : frames
}

function setStack(error: Error, stack: string): void {
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true })
}

/**
 * Adds the place of the call to the stack of what came back from the other thread. Without a trace this is called from
 * there.
 */
export function atCaller(error: unknown, trace: CallTrace): unknown {
  if (!(error instanceof Error)) return error
  const thread = `    --- called from the thread "${threadName(ownThreadId())}" ---`
  setStack(error, [error.stack, thread, ...framesOf(trace)].join('\n'))
  return error
}

/** Gives an error that this side ends the call with the stack of the call. Without a trace this is called from there. */
export function atCall<E>(error: E, trace: CallTrace): E {
  if (!(error instanceof Error)) return error
  const frames = framesOf(trace)
  if (frames.length > 0) setStack(error, [`${error.name}: ${error.message}`, ...frames].join('\n'))
  return error
}

/**
 * Rejects the promise of a call that has no trace.
 *
 * The engine follows the running reaction's promise to those who wait for it. So that promise must have become what the
 * call's waits for before the reaction runs.
 *
 * @param resolve of the call's promise.
 * @param reason gives what it is rejected with.
 */
export function failLater(resolve: (promise: Promise<never>) => void, reason: (trace: CallTrace) => unknown): void {
  let begin!: () => void
  const begun = new Promise<void>((settle) => {
    begin = settle
  })
  const failing = begun.then(() => {
    throw reason(traceWaiting())
  })
  resolve(failing)
  begin()
}
