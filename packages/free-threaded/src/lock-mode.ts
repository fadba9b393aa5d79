import { AbandonedError } from '@flatshare/core'

/** Where the mode of an object's lock stands, in words from the lock's start: its holder's own; see `object-lock.ts`. */
export const MODE = 2
/** Held by an async call that is awaiting; without it, by synchronous code. */
export const AWAITING = 1
/** The holder, whose id is in the bits above, has written fields, or may have: they are to be committed. */
export const DIRTY = 2

export function abandoned(what: string): AbandonedError {
  return new AbandonedError(
    `${what} did not run: a thread ended inside a method of this object, so its state may be half-changed. ` +
      'Check or mend it: this is said once, and the next call goes through. ' +
      '@FreeThreaded({ onAbandoned(object) { … } }) mends such objects by itself.',
  )
}

export function unmended(what: string, cause: unknown): AbandonedError {
  return new AbandonedError(
    `${what} did not run: a thread ended inside a method of this object, and the onAbandoned of its class, which is to ` +
      'mend its state, failed. It is called again before the next method runs.',
    { cause },
  )
}
