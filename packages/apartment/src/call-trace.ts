/** Where a call was made, for the stack of an error that comes back. */

/** Its stack is formatted only when it is read. */
export type CallTrace = { readonly stack?: string }

const here = import.meta.url.replace(/[^/]*$/, '')

export function traceCall(): CallTrace {
  return new Error()
}

/** Adds the caller's stack below that of the error. */
export function atCaller(error: unknown, trace: CallTrace): unknown {
  if (!(error instanceof Error)) return error
  const frames = (trace.stack ?? '').split('\n').filter((line) => /^\s+at |@/.test(line) && !line.includes(here))
  if (frames.length > 0) {
    Object.defineProperty(error, 'stack', {
      value: `${error.stack}\n${frames.join('\n')}`,
      writable: true,
      configurable: true,
    })
  }
  return error
}
