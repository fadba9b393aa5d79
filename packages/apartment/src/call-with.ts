import { checkedTimeout } from '@flatshare/core/internal'
import type { CallSettings } from './peer.js'
import { viewWith } from './proxy.js'

/**
 * The same proxy, whose calls carry a signal, a deadline or both. When either fires, the caller is freed
 * at once (with the signal's reason, or a `TimeoutError`), a result that comes later is dropped, and the
 * callee sees `currentCall().signal` fire; a call that still waits its turn doesn't run. A deadline passes
 * on to the calls that the callee makes.
 *
 * @param settings `timeout` in milliseconds, from each call; `signal`.
 * @throws TypeError for anything but a proxy, and for a signal that is none.
 * @throws RangeError for a timeout that is no number from 0.
 * @example
 * await callWith(mailbox, { timeout: 500 }).count()
 */
export function callWith<T extends object>(proxy: T, settings: CallSettings): T {
  if (typeof settings !== 'object' || settings === null) {
    throw new TypeError('callWith takes { signal, timeout } as its second argument.')
  }
  const { signal, timeout } = settings
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal is not an AbortSignal.')
  if (timeout !== undefined) checkedTimeout(timeout, 'timeout')
  return viewWith(proxy, settings) as T
}
