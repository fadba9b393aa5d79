import type { CallSettings } from './peer.js'
import { viewWith } from './proxy.js'

/**
 * The same proxy, whose calls carry a signal, a deadline or both. When either fires, the caller is freed
 * at once (with the signal's reason, or a `TimeoutError`), a result that comes later is dropped, and the
 * callee sees `currentCall().signal` fire; a call that still waits its turn doesn't run. A deadline passes
 * on to the calls that the callee makes.
 *
 * @param settings `timeout` in milliseconds, from each call; `signal`.
 * @throws TypeError for anything but a proxy.
 * @example
 * await callWith(mailbox, { timeout: 500 }).count()
 */
export function callWith<T extends object>(proxy: T, settings: CallSettings): T {
  return viewWith(proxy, settings) as T
}
