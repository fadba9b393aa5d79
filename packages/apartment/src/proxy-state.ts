/** What stands behind each proxy, its calls, and what it says of itself. */
import { asCallResult } from './call-result.js'
import type { CallSettings } from './call-settings.js'
import type { How } from './messages.js'
import type { Reference } from './reference.js'
import { show } from './showing.js'

export interface ProxyState {
  readonly reference: Reference
  readonly settings?: CallSettings
  /** The proxy of which this is a view. */
  readonly viewOf?: object
  /** Its calls block. */
  readonly blocking?: true
}

const states = new WeakMap<object, ProxyState>()

export function enterProxy(proxy: object, state: ProxyState): void {
  states.set(proxy, state)
}

/** What stands behind `x`; undefined for anything but a proxy. */
export function stateOf(x: unknown): ProxyState | undefined {
  return (typeof x === 'object' && x !== null) || typeof x === 'function' ? states.get(x) : undefined
}

/** @throws TypeError for anything but a proxy; `caller` is what was called with it. */
export function requireProxy(x: unknown, caller: string): ProxyState {
  const state = stateOf(x)
  if (!state) throw new TypeError(`${caller} takes a proxy of an object that lives on another thread; this is none.`)
  return state
}

/** Makes a call by a proxy: gives a promise, or, where its calls block, the result. */
export function callBy(proxy: object, state: ProxyState, how: How, member: string, args: unknown[]): unknown {
  const { reference, settings, viewOf = proxy } = state
  if (state.blocking) return reference.callBlocking(how, member, args, viewOf, settings)
  return asCallResult(reference.call(how, member, args, viewOf, settings))
}

/** The same for a member of whatever `proxy` is. */
export function callMember(proxy: unknown, how: How, member: string, args: unknown[]): unknown {
  const state = stateOf(proxy)
  if (state) return callBy(proxy as object, state, how, member, args)
  const use = how === 'call' ? `proxy.${member}()` : `proxy.${member}`
  const error = new TypeError(
    `${member} is a ${how === 'call' ? 'method' : 'getter'} of a proxy: use it on one, as in ${use}.`,
  )
  return asCallResult(Promise.reject(error))
}

/** A proxy in a line: class, thread, state, and how this view of it calls. */
export function summary(proxy: object): string {
  const { reference, settings, blocking } = states.get(proxy)!
  const state = reference.released ? 'released' : reference.peer?.gone ? 'disconnected' : 'connected'
  const { isFunction } = reference.description
  const kind = blocking ? 'Blocking' : isFunction ? 'RemoteFunction' : 'Remote'
  return show(`${kind}<${reference.name}>`, [['home', reference.homeName], state, ...Object.entries(settings ?? {})])
}
