/**
 * Proxies: what this thread holds of objects that live on others.
 *
 * A proxy is made once for an object and thread and kept weakly; when it is collected, or released, the
 * reference is let go. `callWith` and `blocking` give other views of the same reference, which keep the proxy.
 *
 * As an object a proxy is a boxed symbol under a prototype of its own. That slot inside it is all that structured clone
 * needs to refuse it, so a proxy in a raw `postMessage` is a `DataCloneError`, never a dead copy; and what compares by
 * content, as assertions do, finds two proxies equal only where they stand for the same object.
 */
import { foreignHome, type ThreadId } from '@flatshare/core/internal'
import { anyMemberProxy } from './any-member.js'
import type { InnerSettings } from './call-settings.js'
import type { Peer } from './peer.js'
import { prototypeFor, top } from './proxy-prototype.js'
import { callBy, enterProxy, type ProxyState, requireProxy, stateOf, summary } from './proxy-state.js'
import { Reference } from './reference.js'
import type { RemoteDescription } from './remote-description.js'
import { inspectSymbol } from './showing.js'

/** On each proxy: which object it stands for, for what compares objects by their own members. */
const identity = Symbol('flatshare.reference')

const collected = new FinalizationRegistry<Reference>((reference) => {
  // Another proxy may stand on it by now.
  if (reference.proxy?.deref() === undefined) reference.release()
})

function make(state: ProxyState): object {
  const { description } = state.reference
  const proxy: object = description.isFunction
    ? functionProxy(state)
    : description.anyMember
      ? anyMemberProxy(top, (how, member, args) => callBy(proxy, state, how, member, args))
      : objectProxy(state.reference)
  enterProxy(proxy, state)
  return proxy
}

function objectProxy(reference: Reference): object {
  const name = `${reference.home}/${reference.id}`
  const proxy = Object(Symbol(name)) as object
  Object.defineProperty(proxy, identity, { value: name, enumerable: true })
  Object.setPrototypeOf(proxy, prototypeFor(reference.description))
  return Object.preventExtensions(proxy)
}

function functionProxy(state: ProxyState): object {
  const { reference } = state
  const remote = (...args: unknown[]) => callBy(remote, state, 'apply', '', args)
  const shown = { value: () => summary(remote) }
  return Object.freeze(
    Object.defineProperties(remote, {
      name: { value: reference.name },
      length: { value: 0 },
      [Symbol.dispose]: { value: () => reference.release() },
      [inspectSymbol]: shown,
      toString: shown,
      toJSON: shown,
    }),
  )
}

/** The proxy of an object of another thread that has come by this link: the same one for the same object. */
export function proxyOf(home: ThreadId, id: number, description: RemoteDescription, peer: Peer): object {
  const reference = Reference.of(home, id, description)
  reference.arrived(peer)
  return reference.proxy?.deref() ?? proxyByAnother(reference, peer) ?? freshProxy(reference)
}

/** The proxy of the same object, where another thread has handed it on before. */
function proxyByAnother(reference: Reference, { link }: Peer): object | undefined {
  const home = link.apart ? foreignHome(reference.home) : undefined
  return home && Reference.handedOn(home.process, home.thread, reference.id)?.serveFor(reference)
}

/** The proxy of an object of another thread, if there is one whose link lasts. */
export function knownProxy(home: ThreadId, id: number): object | undefined {
  const reference = Reference.find(home, id)
  return reference?.peer?.gone === false ? reference.proxy?.deref() : undefined
}

/** A proxy that isn't found by its object's number: of what a thread serves by name. */
export function proxyApart(home: ThreadId, id: number, description: RemoteDescription, peer: Peer): object {
  const reference = new Reference(home, id, description)
  reference.arrived(peer)
  return freshProxy(reference)
}

/** The proxy of a reference that was made apart from any link. */
export function freshProxy(reference: Reference): object {
  const proxy = make({ reference })
  reference.proxy = new WeakRef(proxy)
  collected.register(proxy, reference)
  return proxy
}

/** The reference that a proxy stands on; undefined for anything else. */
export function referenceOf(x: unknown): Reference | undefined {
  return stateOf(x)?.reference
}

/** Whether `x` stands for an object of another thread. */
export function isProxy(x: unknown): boolean {
  return stateOf(x) !== undefined
}

/** As `callWith`, whose types are for users. */
export function viewWith(proxy: object, settings: InnerSettings): object {
  const state = requireProxy(proxy, 'callWith')
  return make({
    ...state,
    settings: { ...state.settings, ...settings },
    viewOf: state.viewOf ?? proxy,
  })
}

const blockingViews = new WeakMap<object, object>()

/** As `blocking`, for a proxy: the same view for the same proxy. */
export function blockingView(proxy: object): object {
  const state = requireProxy(proxy, 'blocking')
  if (state.blocking) return proxy
  let view = blockingViews.get(proxy)
  if (!view) blockingViews.set(proxy, (view = make({ ...state, viewOf: state.viewOf ?? proxy, blocking: true })))
  return view
}

/**
 * Lets go of a proxy before it is collected: the object at home is dropped once no thread holds it. Calls
 * in progress still settle; new ones reject with `DisconnectedError`. `using` does the same.
 *
 * @throws TypeError for anything but a proxy.
 * @example
 * release(mailbox)
 */
export function release(proxy: object): void {
  requireProxy(proxy, 'release').reference.release()
}
