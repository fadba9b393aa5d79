/** The end of an object that is disposed of is the end of its contexts. */
import { wrapMember } from '@flatshare/core/internal'
import { endContexts, endContextsAsync } from './contexts.js'
import { report } from './disposing.js'

/** Objects whose dispose method is running: their contexts end when the outermost has returned. */
const ending = new WeakSet<object>()

/** The object's own dispose runs first: it may still use its contexts. */
export function endWithObject(prototype: object, key: typeof Symbol.dispose | typeof Symbol.asyncDispose): void {
  const descriptor = findDescriptor(prototype, key)
  if (typeof descriptor?.value !== 'function') return
  wrapMember(
    prototype,
    key,
    descriptor,
    (fn) =>
      function (this: object, ...args: unknown[]): unknown {
        if (ending.has(this)) return Reflect.apply(fn, this, args)
        ending.add(this)
        let result: unknown
        try {
          result = Reflect.apply(fn, this, args)
        } catch (error) {
          ending.delete(this)
          endContexts(this).forEach(report)
          throw error
        }
        if (result instanceof Promise) return endLater(this, result)
        ending.delete(this)
        throwAny(endContexts(this))
        return result
      },
  )
}

async function endLater(object: object, running: Promise<unknown>): Promise<unknown> {
  let result: unknown
  try {
    result = await running
  } catch (error) {
    ending.delete(object)
    ;(await endContextsAsync(object)).forEach(report)
    throw error
  }
  ending.delete(object)
  throwAny(await endContextsAsync(object))
  return result
}

function throwAny(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1)
    throw new AggregateError(errors, 'Several values of per-thread fields failed to be disposed of.')
}

/** A class's own method, or the one that it inherits. */
function findDescriptor(prototype: object, key: PropertyKey): PropertyDescriptor | undefined {
  for (let at: object | null = prototype; at; at = Object.getPrototypeOf(at) as object | null) {
    const own = Object.getOwnPropertyDescriptor(at, key)
    if (own) return own
  }
  return undefined
}
