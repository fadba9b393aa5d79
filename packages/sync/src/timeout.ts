/** Timers can't be set for longer; who waits that long waits for ever. */
const LONGEST_TIMER = 0x7fffffff

/** A timeout as it was given, in milliseconds; `Infinity` where there is none. */
export function checkedTimeout(timeout: number | undefined): number {
  if (timeout === undefined) return Infinity
  if (typeof timeout === 'number' && timeout >= 0) return timeout
  throw new RangeError(`A timeout is a number of milliseconds, 0 or more; this one is ${String(timeout)}.`)
}

/** Calls back after `timeout` milliseconds. Returns how to stop it. */
export function startTimer(timeout: number, callback: () => void): () => void {
  if (timeout > LONGEST_TIMER) return () => {}
  const timer = setTimeout(callback, timeout)
  return () => clearTimeout(timer)
}
