/** Timers can't be set for longer. */
const LONGEST_TIMER = 0x7fffffff

/**
 * A number of milliseconds as it was given; `name` is what the error calls it.
 *
 * @throws RangeError for anything else: a timer would take it for 1 ms, or a sum for a text.
 */
export function checkedTimeout(milliseconds: number, name: string): number {
  if (typeof milliseconds === 'number' && milliseconds >= 0) return milliseconds
  throw new RangeError(`${name} is a number of milliseconds, 0 or more; this one is ${String(milliseconds)}.`)
}

/** What a timer takes for so many milliseconds. */
export function timerDelay(milliseconds: number): number {
  return Math.min(LONGEST_TIMER, Math.max(0, milliseconds))
}

/**
 * Calls back after so many milliseconds; who waits longer than any timer waits for ever. Returns how to stop it.
 *
 * @param keepsAlive whether the process waits for it, where the runtime asks.
 */
export function startTimer(milliseconds: number, callback: () => void, keepsAlive = true): () => void {
  if (milliseconds > LONGEST_TIMER) return () => {}
  const timer = setTimeout(callback, milliseconds)
  if (!keepsAlive) (timer as unknown as { unref?(): void }).unref?.()
  return () => clearTimeout(timer)
}
