import { type Access, makeAccess } from './access.js'
import { blockOf } from './adoption.js'
import { runInsideSync, runReading } from './async-hold.js'
import { requireShape } from './locked.js'
import { lockingOf } from './methods.js'
import { hasReaders } from './read-lock.js'
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
      const read = () => (object as any)[key] as unknown
      const slot = slots.get(key)
      if (slot) {
        const { type, group, label } = slot
        return type.isScalar || type.facade
          ? atOnce(read)
          : inside(object, makeAccess(`${name}.${label}`, group), hasReaders(object, group.name), read)
      }
      if (found.get) return run(object, found.get, read)
      if (typeof found.value !== 'function') return atOnce(read)
      const fn = found.value as Function
      const call = (...args: unknown[]) => run(object, fn, () => Reflect.apply(fn, object, args) as unknown)
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

function run(object: object, member: Function, fn: () => unknown): Promise<unknown> {
  const locking = lockingOf(member)
  return locking ? inside(object, locking.access, locking.reads, fn) : atOnce(fn)
}

async function inside(object: object, access: Access, reads: boolean, fn: () => unknown): Promise<unknown> {
  const lock = blockOf(object) + access.lockOffset
  return reads ? runReading(object, lock, access, fn) : runInsideSync(object, lock, access, fn)
}

async function atOnce(fn: () => unknown): Promise<unknown> {
  return fn()
}
