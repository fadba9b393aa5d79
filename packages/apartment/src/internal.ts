/**
 * What the packages above build on. Not for programs: it changes without notice.
 *
 * @experimental
 */
import type { CallId, ThreadId } from '@flatshare/core'
import { dispatchArrived } from './blocked-thread.js'
import type { InnerSettings } from './call-settings.js'
import { traceCall } from './call-trace.js'
import { meet } from './introduce.js'
import type { Peer } from './peer.js'
import { drainLinks } from './peers.js'
import { referenceOf } from './proxy.js'
import type { Reference } from './reference.js'
import { ABOVE, holdForEver, IN_TURN } from './stub.js'

export { after } from './after.js'
export { apartmentOf, called } from './apartment.js'
export { checkOpening, START_TIMEOUT } from './apartment-options.js'
export { type ApartmentThread, apartFrom, createBy, openRemote, type Wanted } from './apartment-thread.js'
export type { InnerSettings } from './call-settings.js'
export { traceCall } from './call-trace.js'
export { type Waited, waitWithin } from './call-wait.js'
export { TakenBack } from './calling.js'
export { type MeetOptions, peerOf } from './introduce.js'
export { type Link, type LinkReceiver, sendPacked } from './link.js'
export type { AnswerMessage, CallMessage, CarryingMessage, Directory, Message } from './messages.js'
export * as messages from './messages.js'
export { classNameFor } from './module-class.js'
export {
  type OpenedOver,
  type OpenOverSettings,
  openOver,
  remoteOf,
  type ServeOverSettings,
  serveOver,
} from './over-link.js'
export { ownThread } from './own-threads.js'
export { LONGEST_WAIT, Patience } from './patience.js'
export { Peer } from './peer.js'
export { isPlain } from './port-link.js'
export { isProxy, proxyApart, referenceOf, viewWith } from './proxy.js'
export { learn } from './remote-description.js'
export type { Router } from './routed-reference.js'
export { type OtherSource, refusePromise, registerSource, type SourceKind, type StartedProcess } from './sources.js'
export { ROOT } from './stub.js'
export { flushLinks, forgetUnsent, noteUnsent, type Unsent } from './unsent.js'

function require(proxy: object): Reference {
  const reference = referenceOf(proxy)
  if (!reference) throw new TypeError('This is no proxy.')
  return reference
}

/** The thread on which the object behind a proxy lives. */
export function homeThreadOf(proxy: object): ThreadId {
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

/** Calls a function by its proxy, one call at a time, as an object's method: an async one until its promise has settled. */
export function callInTurn(proxy: Function, args: unknown[], settings?: InnerSettings): Promise<unknown> {
  return require(proxy).call('apply', IN_TURN, args, proxy, settings)
}

/** As `callInTurn`, blocking. */
export function callInTurnBlocking(proxy: Function, args: unknown[]): unknown {
  return require(proxy).callBlocking('apply', IN_TURN, args, proxy)
}

/** What one package above has each thread that has imported it serve to every other; its calls don't queue. */
export interface ServedAbove {
  readonly name: string
  perform(member: string, args: unknown[]): unknown
}

/** Lets every thread call `served` of this one, by `callAbove`. */
export function serveAbove({ name, perform }: ServedAbove): void {
  holdForEver({
    id: ABOVE,
    name,
    gate: () => undefined,
    refusal: () => undefined,
    perform: (_how, member, args) => perform(member, args),
    about: () => {
      throw new TypeError(`The ${name} have no reference of their own.`)
    },
  })
}

const linked = new Map<ThreadId, Peer>()

/** Calls what that thread serves so. The first call to a thread makes the link to it; calls keep their order. */
export async function callAbove(
  thread: ThreadId,
  name: string,
  member: string,
  args: unknown[],
  settings?: InnerSettings,
): Promise<unknown> {
  let peer = linked.get(thread)
  if (!peer || peer.gone) {
    const met = await meet(thread, settings?.signal && { signal: settings.signal })
    peer = met.peer
    linked.set(thread, peer)
  }
  return peer.call({ id: ABOVE, name }, 'call', member, args, traceCall(), settings)
}

/**
 * Serves now, without the event loop, the calls that have come for this thread and are chosen, by their path and
 * arguments; all other calls that came wait for the end of the running code. Where the link is a port and can't be read so,
 * they come later.
 */
export function serveNow(chosen: (path: readonly CallId[], args: readonly unknown[] | undefined) => boolean): void {
  dispatchArrived(({ path, args }) => chosen(path, args), drainLinks)
}
