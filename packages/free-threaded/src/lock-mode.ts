import { AbandonedError } from '@flatshare/core'

/** Where the mode of an object's lock stands, in words from the block's start; see `object-lock.ts`. */
export const MODE = 2
/** Held by synchronous code. Also the mode of a free lock, and of one whose holder died. */
export const SYNC = 0
/** Held by an async call that is awaiting. */
export const ASYNC = 1

export function abandoned(what: string): AbandonedError {
  return new AbandonedError(
    `${what} did not run: a thread ended inside a method of this object, so its state may be half-changed. ` +
      'Check or mend it: this is said once, and the next call goes through.',
  )
}
