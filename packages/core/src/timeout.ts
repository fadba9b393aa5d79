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

/**
 * Calls back once `Date.now()` has reached the deadline: a timer alone may fire before, as it counts from the time at
 * which the event loop last looked at the clock. If the clock was set back meanwhile, it isn't waited for. Returns how
 * to stop it.
 *
 * @param deadline as `Date.now()` counts; one in the past calls back with the next timers.
 */
export function startDeadline(deadline: number, callback: () => void, keepsAlive = true): () => void {
  let delay = Math.max(0, deadline - Date.now())
  const look = () => {
    const rest = deadline - Date.now()
    if (rest <= 0 || rest > delay) return callback()
    delay = rest
    stop = startTimer(delay, look, keepsAlive)
  }
  let stop = startTimer(delay, look, keepsAlive)
  return () => stop()
}
