/**
 * What the packages above build on. Not for programs: it changes without notice.
 *
 * @experimental
 */
import type { ThreadId } from '@flatshare/core'
import { referenceOf } from './proxy.js'
import type { Reference } from './reference.js'

export { type MeetOptions, peerOf } from './introduce.js'
export { isProxy } from './proxy.js'

function require(proxy: object): Reference {
  const reference = referenceOf(proxy)
  if (!reference) throw new TypeError('This is no proxy.')
  return reference
}

/** The thread on which the object behind a proxy lives. */
export function homeOf(proxy: object): ThreadId {
  return require(proxy).home
}

/**
 * Calls back, once, when the object behind a proxy can't be reached any more because its thread has ended;
 * soon, if that is so already. It doesn't keep the proxy. Gives how to stop.
 */
export function onGone(proxy: object, callback: () => void): () => void {
  const { peer } = require(proxy)
  if (peer) return peer.onGone(callback)
  queueMicrotask(callback)
  return () => {}
}
