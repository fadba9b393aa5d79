/** The exit code of what was interrupted. */
export const interrupted = 130

/** A signal for Ctrl-C, `kill` and a closed terminal. */
export function whenInterrupted(): AbortSignal {
  const interrupt = new AbortController()
  let since = Number.POSITIVE_INFINITY
  const abort = () => {
    // npm may repeat at once what the terminal has sent. Who presses the keys again later won't wait any longer.
    if (performance.now() - since > 1000) process.exit(interrupted)
    since = Math.min(since, performance.now())
    interrupt.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, abort)
  return interrupt.signal
}
