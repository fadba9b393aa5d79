/**
 * The one family of errors. Names are set on the prototypes, so that they survive minifiers.
 *
 * Aborts and timeouts are not in it: they are the platform's `AbortError` and `TimeoutError`
 * (`DOMException`s), as every other API throws them.
 */

/** The base of every error that Flatshare throws on its own account. */
export class FlatshareError extends Error {}

/**
 * An object reached a thread that may not have it: a single-threaded object was handed over, or a
 * packet was spent, addressed to another thread, or copied behind the framework's back.
 */
export class WrongThreadError extends FlatshareError {}

/** The thread (or the owner of the object) at the other end is gone. */
export class DisconnectedError extends FlatshareError {
  /** False when the call was certainly not started; true when nobody can know. */
  readonly mayHaveRun: boolean
  constructor(message: string, options: ErrorOptions & { mayHaveRun?: boolean } = {}) {
    super(message, options)
    this.mayHaveRun = options.mayHaveRun ?? false
  }
}

/** Waiting would never end: this thread, or a cycle of threads, waits for itself. */
export class DeadlockError extends FlatshareError {
  /** Every link of the cycle, in order: who waits for what, held by whom. */
  readonly cycle: readonly string[]
  constructor(message: string, options: ErrorOptions & { cycle?: readonly string[] } = {}) {
    super(message, options)
    this.cycle = options.cycle ?? []
  }
}

/** A blocking call was made where the thread must not block. The message names the async way. */
export class CannotBlockError extends FlatshareError {}

/** A value cannot cross to another thread; the message names the place inside the value. */
export class NotMarshalableError extends FlatshareError {}

/**
 * A free-threaded object would arrive, or has arrived, as a mere proxy where its model was required; or a member was called
 * by such a proxy that takes something at once, as `tryLock` does, and would answer too late. The message names what to call.
 */
export class DowngradeError extends FlatshareError {}

/** A lock came to its new holder because the thread that held it died: the state may be half-changed. */
export class AbandonedError extends FlatshareError {}

const family = {
  FlatshareError,
  WrongThreadError,
  DisconnectedError,
  DeadlockError,
  CannotBlockError,
  NotMarshalableError,
  DowngradeError,
  AbandonedError,
}

for (const [name, Class] of Object.entries(family)) {
  Object.defineProperty(Class.prototype, 'name', { value: name, writable: true, configurable: true })
}

/** The family by name, for errors that come from another thread. */
export const errorFamily: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = family

/** The platform's `TimeoutError`. */
export function timeoutError(message: string): DOMException {
  return new DOMException(message, 'TimeoutError')
}

/** What an aborted `signal` asks to be thrown. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException('This operation was aborted', 'AbortError')
}
