/**
 * What proxies have: for each method of the class at home a method, for each of its getters one that gives a promise.
 *
 * Only what the class says is there: other properties, `then` and `constructor` included, are undefined, so a proxy can
 * be awaited, and there is no way up to `Object.prototype` that an assignment could pollute. Nothing can be assigned,
 * and nothing that merely looks at a proxy (its keys, as JSON, in a template, a debugger) makes a call.
 */
import { MARSHALER, type Marshaler, type SynchronousMember } from '@flatshare/core/internal'
import { ofGenerator, toldWhenAsked } from './call-result.js'
import { isReachable, memberKey } from './description.js'
import { callMember, requireProxy, stateOf, summary } from './proxy-state.js'
import type { RemoteDescription } from './remote-description.js'
import { inspectSymbol } from './showing.js'
import { refuseLate } from './synchronous-refusal.js'

const prototypes = new WeakMap<RemoteDescription, object>()

const refuseAssignment = (key: PropertyKey, mend = 'Call a method that sets it.'): never => {
  throw new TypeError(`Can't set ${String(key)}: nothing can be assigned through a proxy. ${mend}`)
}

const shared = {
  [Symbol.dispose](this: object): void {
    requireProxy(this, 'Symbol.dispose').reference.release()
  },
  [Symbol.toPrimitive](this: object): string {
    return summary(this)
  },
  toString(this: object): string {
    return summary(this)
  },
  toJSON(this: object): string {
    return summary(this)
  },
  [inspectSymbol](this: object): string {
    return summary(this)
  },
  valueOf(this: object): object {
    return this
  },
}
Object.setPrototypeOf(shared, null)
for (const key of Reflect.ownKeys(shared)) Object.defineProperty(shared, key, { enumerable: false })

/** The top of every proxy's prototype chain: assignments of what the class doesn't have end here. */
export const top: object = new Proxy(shared, {
  set: (_target, key) => refuseAssignment(key),
  defineProperty: (_target, key) => refuseAssignment(key),
  setPrototypeOf: () => refuseAssignment('__proto__'),
})

/** Lets proxies of objects be packed. Called once, by the package's marshaler. */
export function useMarshaler(marshaler: Marshaler): void {
  Object.defineProperty(shared, MARSHALER, { value: marshaler })
  Object.freeze(shared)
}

/** The prototype of the proxies of such objects. */
export function prototypeFor(description: RemoteDescription): object {
  let prototype = prototypes.get(description)
  if (prototype) return prototype
  const { name, methods, getters, setters = [], generators = [], synchronous = [] } = description
  const properties = Object.create(null) as PropertyDescriptorMap
  for (const key of methods) {
    if (!isReachable(key)) continue
    const atOnce = synchronous.find(([member]) => member === key)
    const method = atOnce ? synchronousMethodOf(atOnce) : methodOf(key, generators.includes(key))
    properties[memberKey(key) as string] = { get: () => method, set: () => refuseAssignment(key) }
  }
  for (const key of [...getters, ...setters]) {
    if (!isReachable(key) || key in properties) continue
    const mend = setters.includes(key) ? `To call its setter: await set(proxy, '${key}', value).` : undefined
    properties[key] = { set: () => refuseAssignment(key, mend) }
    if (getters.includes(key)) properties[key].get = getterOf(key)
  }
  properties[Symbol.toStringTag as never] = { value: `Remote<${name}>` }
  // Given at once: what is defined later would meet the top's trap.
  prototype = Object.freeze(Object.create(top, properties)) as object
  prototypes.set(description, prototype)
  return prototype
}

function methodOf(key: string, generator: boolean): Function {
  const name = memberKey(key)
  return {
    [name](this: unknown, ...args: unknown[]): unknown {
      const result = callMember(this, 'call', key, args)
      return generator ? ofGenerator(result) : result
    },
  }[name as string]!
}

function synchronousMethodOf(member: SynchronousMember): Function {
  const [key] = member
  return {
    [key](this: unknown, ...args: unknown[]): unknown {
      refuseLate(this, member)
      return callMember(this, 'call', key, args)
    },
  }[key]!
}

function getterOf(key: string): () => unknown {
  return function (this: unknown): unknown {
    const result = callMember(this, 'get', key, [])
    // Who walks up the prototypes asks this of what is no proxy, and looks at no failure.
    return stateOf(this) ? result : toldWhenAsked(result)
  }
}
