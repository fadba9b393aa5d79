/** A time that is waited for, beside something else that may come before. */
import { startTimer } from '@flatshare/core/internal'

/** Resolves after so many milliseconds, unless it is stopped. */
export function after(milliseconds: number): { readonly promise: Promise<void>; stop(): void } {
  let stop = () => {}
  const promise = new Promise<void>((resolve) => {
    stop = startTimer(milliseconds, resolve)
  })
  return { promise, stop: () => stop() }
}
