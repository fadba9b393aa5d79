/**
 * The proxy of what isn't known yet: what a thread serves by name, before there is a link to it.
 *
 * Each name gives a function that calls the method of that name; awaiting the function itself gets the property.
 */
import type { How } from './messages.js'

type Call = (how: How, member: string, args: unknown[]) => unknown

/** `top` has what every proxy has, and refuses assignments. */
export function anyMemberProxy(top: object, call: Call): object {
  const members = new Map<string, object>()
  return new Proxy(Object.preventExtensions(Object.create(top) as object), {
    get(target, key, receiver) {
      if (typeof key === 'symbol' || key in target || key === 'then' || key in Object.prototype) {
        return Reflect.get(target, key, receiver) as unknown
      }
      let found = members.get(key)
      if (!found) members.set(key, (found = member(key, call)))
      return found
    },
  })
}

function member(key: string, call: Call): object {
  const method = { [key]: (...args: unknown[]) => call('call', key, args) }[key]!
  return Object.freeze(
    Object.defineProperty(method, 'then', {
      value: (...reactions: Parameters<Promise<unknown>['then']>) =>
        new Promise((resolve) => resolve(call('get', key, []))).then(...reactions),
    }),
  )
}
