/** How calls are made: the settings that `callWith` takes. */
import { checkedTimeout } from '@flatshare/core/internal'

/** How one call is made. */
export interface CallSettings {
  /** Frees the caller at once when it fires, with its reason; the callee sees `currentCall().signal` fire. */
  readonly signal?: AbortSignal
  /**
   * Milliseconds from each call until the caller is freed by a `TimeoutError`; 0 makes no call at all. It passes on to
   * the calls that the callee makes.
   */
  readonly timeout?: number
  /**
   * `'terminate'` ends the callee's thread if a call that was given up has begun and doesn't end: for code that looks
   * at no signal. Other calls that are pending there reject with `DisconnectedError`. Only the thread that opened that
   * thread, or attached to it, can ask for it.
   */
  readonly onAbort?: 'terminate'
  /** Milliseconds that a call has to end after it was given up, before its thread is ended: 100 by default. */
  readonly graceTime?: number
  /**
   * False for calls without an answer: the promise resolves, with nothing, when the call is sent. It keeps its place
   * in the order of calls. What it throws is a warning (`FlatshareWarning`) on the callee's thread. `timeout` then says
   * until when it may begin; `signal` counts only until it is sent.
   */
  readonly reply?: boolean
  /**
   * `'refuse'` makes no call to another process that would carry a free-threaded object, a lock or a shared container as
   * an argument: those arrive as mere proxies there, and the call rejects with a `DowngradeError` instead. `'allow'` by
   * default.
   */
  readonly downgrade?: 'refuse' | 'allow'
}

/** Those that packages above may ask for, too. */
export interface InnerSettings extends CallSettings {
  /** Nobody waits for the answer: this thread neither blocks nor stays awake for it. */
  readonly patient?: boolean
}

export const GRACE_TIME = 100

/**
 * The settings that were given, without those that are undefined.
 *
 * @throws TypeError or RangeError for what is none.
 */
export function checkedSettings(settings: CallSettings): CallSettings {
  if (typeof settings !== 'object' || settings === null) {
    throw new TypeError(
      'callWith takes { signal, timeout, onAbort, graceTime, reply, downgrade } as its second argument.',
    )
  }
  const { signal, timeout, onAbort, graceTime, reply, downgrade, ...rest } = settings
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) {
    throw new TypeError(
      `callWith knows no setting "${unknown}": there are signal, timeout, onAbort, graceTime, reply and downgrade.`,
    )
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal is not an AbortSignal.')
  if (timeout !== undefined) checkedTimeout(timeout, 'timeout')
  if (graceTime !== undefined) checkedTimeout(graceTime, 'graceTime')
  if (onAbort !== undefined && onAbort !== 'terminate') {
    throw new TypeError(`onAbort is 'terminate' or left out; this one is ${String(onAbort)}.`)
  }
  if (reply !== undefined && typeof reply !== 'boolean') throw new TypeError('reply is true or false.')
  if (downgrade !== undefined && downgrade !== 'refuse' && downgrade !== 'allow') {
    throw new TypeError(`downgrade is 'refuse' or 'allow'; this one is ${String(downgrade)}.`)
  }
  return {
    ...(signal !== undefined && { signal }),
    ...(timeout !== undefined && { timeout }),
    ...(onAbort !== undefined && { onAbort }),
    ...(graceTime !== undefined && { graceTime }),
    ...(reply !== undefined && { reply }),
    ...(downgrade !== undefined && { downgrade }),
  }
}
