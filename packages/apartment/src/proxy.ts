/**
 * Proxies: ordinary objects with a method for each method of the class at home and a getter, giving a
 * promise, for each of its getters.
 *
 * Only what the class says is there: other properties, `then` and `constructor` included, are undefined,
 * so a proxy can be awaited, and there is no way up to `Object.prototype` that an assignment could
 * pollute. Nothing can be assigned.
 *
 * A proxy is made once for an object and thread and kept weakly; when it is collected, or released, the
 * reference is let go. `callWith` gives other views of the same reference, which keep the proxy.
 */
import { MARSHALER, type Marshaler, type ThreadId } from '@flatshare/core/internal'
import { memberKey } from './description.js'
import type { How } from './messages.js'
import type { CallSettings, Peer } from './peer.js'
import { Reference, type RemoteDescription } from './reference.js'

interface ProxyState {
  readonly reference: Reference
  readonly settings?: CallSettings
  /** The proxy of which this is a view. */
  readonly viewOf?: object
}

const states = new WeakMap<object, ProxyState>()
const prototypes = new WeakMap<RemoteDescription, object>()
const inspect = Symbol.for('nodejs.util.inspect.custom')

const collected = new FinalizationRegistry<Reference>((reference) => {
  // Another proxy may stand on it by now.
  if (reference.proxy?.deref() === undefined) reference.release()
})

function summary(proxy: object): string {
  const { reference } = states.get(proxy)!
  const state = reference.released ? ', released' : reference.peer?.gone ? ', disconnected' : ''
  return `Remote<${reference.name}> { home: "${reference.homeName}"${state} }`
}

const refuseAssignment = (key: PropertyKey): never => {
  throw new TypeError(`Can't set ${String(key)}: nothing can be assigned through a proxy. Call a method that sets it.`)
}

const shared = {
  [Symbol.dispose](this: object): void {
    release(this)
  },
  [Symbol.toPrimitive](this: object): string {
    return summary(this)
  },
  toString(this: object): string {
    return summary(this)
  },
  [inspect](this: object): string {
    return summary(this)
  },
}
Object.setPrototypeOf(shared, null)

/** The top of every proxy's prototype chain: assignments of what the class doesn't have end here. */
const top: object = new Proxy(shared, {
  set: (_target, key) => refuseAssignment(key),
  defineProperty: (_target, key) => refuseAssignment(key),
  setPrototypeOf: () => refuseAssignment('__proto__'),
})

/** Lets proxies of objects be packed. Called once, by the package's marshaler. */
export function useMarshaler(marshaler: Marshaler): void {
  Object.defineProperty(shared, MARSHALER, { value: marshaler })
  Object.freeze(shared)
}

function call(proxy: unknown, how: How, member: string, args: unknown[]): Promise<unknown> {
  const state = typeof proxy === 'object' && proxy !== null ? states.get(proxy) : undefined
  if (!state) {
    return Promise.reject(new TypeError(`${member} is a method of a proxy: call it on one, as in proxy.${member}().`))
  }
  return state.reference.call(how, member, args, state.viewOf ?? proxy, state.settings)
}

function prototypeFor(description: RemoteDescription): object {
  let prototype = prototypes.get(description)
  if (prototype) return prototype
  prototype = Object.create(top) as object
  const properties: PropertyDescriptorMap = {}
  for (const key of description.methods) {
    const name = memberKey(key)
    const method = {
      [name](this: unknown, ...args: unknown[]) {
        return call(this, 'call', key, args)
      },
    }[name as string]
    properties[name as string] = { get: () => method, set: () => refuseAssignment(key), enumerable: true }
  }
  for (const key of description.getters) {
    properties[key] = {
      get(this: unknown) {
        return call(this, 'get', key, [])
      },
      set: () => refuseAssignment(key),
      enumerable: true,
    }
  }
  properties[Symbol.toStringTag as never] = { value: `Remote<${description.name}>` }
  // Defined where the top's trap doesn't see it, as these are own properties.
  Object.defineProperties(prototype, properties)
  prototypes.set(description, Object.freeze(prototype))
  return prototype
}

function make(state: ProxyState): object {
  const { reference, settings } = state
  let proxy: object
  if (reference.description.isFunction) {
    const remote = (...args: unknown[]) => reference.call('apply', '', args, remote, settings)
    Object.defineProperties(remote, {
      name: { value: reference.name },
      [Symbol.dispose]: { value: () => reference.release() },
      [inspect]: { value: () => summary(remote) },
    })
    proxy = Object.freeze(remote)
  } else proxy = Object.preventExtensions(Object.create(prototypeFor(reference.description)) as object)
  states.set(proxy, state)
  return proxy
}

/** The proxy of an object of another thread that has come by this link: the same one for the same object. */
export function proxyOf(home: ThreadId, id: number, description: RemoteDescription, peer: Peer): object {
  const reference = Reference.of(home, id, description)
  reference.arrived(peer)
  return reference.proxy?.deref() ?? freshProxy(reference)
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

function freshProxy(reference: Reference): object {
  const proxy = make({ reference })
  reference.proxy = new WeakRef(proxy)
  collected.register(proxy, reference)
  return proxy
}

/** The reference that a proxy stands on; undefined for anything else. */
export function referenceOf(x: unknown): Reference | undefined {
  return (typeof x === 'object' && x !== null) || typeof x === 'function' ? states.get(x)?.reference : undefined
}

/** Whether `x` stands for an object of another thread. */
export function isProxy(x: unknown): boolean {
  return referenceOf(x) !== undefined
}

function requireProxy(x: unknown, caller: string): ProxyState {
  const state = (typeof x === 'object' && x !== null) || typeof x === 'function' ? states.get(x) : undefined
  if (!state) throw new TypeError(`${caller} takes a proxy of an object that lives on another thread; this is none.`)
  return state
}

/** As `callWith`, whose types are for users. */
export function viewWith(proxy: object, settings: CallSettings): object {
  const state = requireProxy(proxy, 'callWith')
  return make({
    reference: state.reference,
    settings: { ...state.settings, ...settings },
    viewOf: state.viewOf ?? proxy,
  })
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
