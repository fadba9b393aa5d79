/**
 * Where a call was made, for the stacks of errors.
 *
 * An error that comes back has the stack of both threads: below where it was thrown, and the name of that thread (which
 * the error's marshaler writes), where the call was made, and the name of that one. An error that ends a call from this
 * side shows only where the call was made: where it was found out is no news to anybody.
 */
import { ownThreadId, threadName } from '@flatshare/core/internal'

/** Its stack is formatted only when it is read. */
export type CallTrace = { readonly stack?: string }

const here = import.meta.url.replace(/[^/]*$/, '')
const isFrame = (line: string) => /^\s+at |@/.test(line)

export function traceCall(): CallTrace {
  return new Error()
}

/** The caller's frames; of this package only where there are no others, as where it was bundled with the program. */
function framesOf(trace: CallTrace): string[] {
  const frames = (trace.stack ?? '').split('\n').filter(isFrame)
  const callers = frames.filter((line) => !line.includes(here))
  return callers.length > 0 ? callers : frames
}

function setStack(error: Error, stack: string): void {
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true })
}

/** Adds the place of the call to the stack of what came back from the other thread. */
export function atCaller(error: unknown, trace: CallTrace): unknown {
  if (!(error instanceof Error)) return error
  const frames = framesOf(trace)
  if (frames.length > 0) {
    const thread = `    --- called from the thread "${threadName(ownThreadId())}" ---`
    setStack(error, [error.stack, thread, ...frames].join('\n'))
  }
  return error
}

/** Gives an error that this side ends the call with the stack of the call. */
export function atCall<E>(error: E, trace: CallTrace): E {
  if (!(error instanceof Error)) return error
  const frames = framesOf(trace)
  if (frames.length > 0) setStack(error, [`${error.name}: ${error.message}`, ...frames].join('\n'))
  return error
}
