import { FlatshareError } from '@flatshare/core'
import { blockOf } from './adoption.js'
import { refusePromise } from './methods.js'
import { enter, leave } from './object-lock.js'
import { type Shape, shapeOf } from './shape.js'

/** @throws FlatshareError for anything but a free-threaded object. */
export function requireShape(object: unknown, asker: string): Shape {
  const shape = typeof object === 'object' && object !== null ? shapeOf(object) : undefined
  if (shape) return shape
  throw new FlatshareError(`${asker} takes an object of a free-threaded class.`)
}

/**
 * Runs `fn` while holding the object's lock: several calls as one, that no other thread sees half done.
 * Gives what `fn` gives; an error releases the lock and goes on.
 *
 * It blocks while another thread is inside. `fn` must be synchronous: the lock ends with it.
 *
 * @throws FlatshareError for objects that aren't free-threaded, and when `fn` gives a promise.
 * @throws AbandonedError, DeadlockError, CannotBlockError as a method of the object would.
 * @example
 * locked(account, () => { if (account.balance >= 10) account.withdraw(10) })
 */
export function locked<T extends object, R>(object: T, fn: (object: T) => R): R {
  const member = `${requireShape(object, 'locked').name}.locked()`
  const address = blockOf(object)
  const entry = enter(address, () => member)
  try {
    const result = fn(object)
    if (typeof result === 'object' && result !== null) refusePromise(result, member)
    return result
  } finally {
    leave(address, entry)
  }
}
