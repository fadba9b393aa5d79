import { blockOf } from './adoption.js'
import { runInsideSync } from './async-hold.js'
import { requireShape } from './locked.js'
import { locksSynchronously } from './methods.js'
import { label } from './shape.js'

/** An object's members as promises; async methods keep their signature whole. */
export type NonBlocking<T> = {
  readonly [K in keyof T]: T[K] extends (...args: any[]) => Promise<any>
    ? T[K]
    : T[K] extends (...args: infer A) => infer R
      ? (...args: A) => Promise<Awaited<R>>
      : Promise<Awaited<T[K]>>
}

const views = new WeakMap<object, object>()

/**
 * The same object, with every method as a promise that never blocks this thread: a call queues while
 * somebody else is inside, also where blocking is not allowed or would never end. Fields and getters are
 * promises too. What is `@Unlocked` runs at once.
 *
 * Calls of one thread run in the order in which they were made. An error of any kind is a rejection.
 *
 * @throws FlatshareError for objects that aren't free-threaded.
 * @example
 * await nonBlocking(account).deposit(5)
 */
export function nonBlocking<T extends object>(object: T): NonBlocking<T> {
  const { name, slots } = requireShape(object, 'nonBlocking')
  const known = views.get(object)
  if (known) return known as NonBlocking<T>
  const methods = new Map<PropertyKey, Function>()
  const view = new Proxy(Object.create(null) as object, {
    get(_, key) {
      const method = methods.get(key)
      if (method) return method
      const found = find(object, key)
      if (!found) return undefined
      const member = `${name}.${label(key)}`
      if (found.get && !slots.has(key)) {
        return locksSynchronously(found.get)
          ? inside(object, member, () => (object as any)[key])
          : atOnce(() => (object as any)[key])
      }
      if (typeof found.value !== 'function') return atOnce(() => (object as any)[key])
      const fn = found.value as Function
      const call = (...args: unknown[]) => {
        const run = () => Reflect.apply(fn, object, args) as unknown
        return locksSynchronously(fn) ? inside(object, member, run) : atOnce(run)
      }
      methods.set(key, call)
      return call
    },
    has: (_, key) => find(object, key) !== undefined,
    set(_, key) {
      throw new TypeError(
        `nonBlocking(…).${label(key)} can't be assigned: an assignment gives no promise. Use a method.`,
      )
    },
  })
  views.set(object, view)
  return view as NonBlocking<T>
}

/** What the class says of a member; never what every object has, nor the constructor. */
function find(object: object, key: PropertyKey): PropertyDescriptor | undefined {
  if (key === 'constructor') return undefined
  for (let at = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    const descriptor = Object.getOwnPropertyDescriptor(at, key)
    if (descriptor) return descriptor
  }
  return undefined
}

async function inside(object: object, member: string, fn: () => unknown): Promise<unknown> {
  return runInsideSync(blockOf(object), () => member, fn)
}

async function atOnce(fn: () => unknown): Promise<unknown> {
  return fn()
}
