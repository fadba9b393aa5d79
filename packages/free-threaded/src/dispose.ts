/**
 * Giving up a thread's handle of an object before it is collected as garbage.
 *
 * Every free-threaded class has a `[Symbol.dispose]`. Where the class wrote one, that runs first, under the lock as any
 * method; the handle goes when the outermost of them has returned, so that `super[Symbol.dispose]()` may come anywhere.
 */
import { FlatshareError } from '@flatshare/core'
import { objectEnded } from '@flatshare/core/internal'
import { addressOf, DISPOSED, stamp } from './handle.js'
import { Attachment, Hold } from './heap/hold.js'
import { dropHandle } from './heap/index.js'
import { isHeldHere } from './object-lock.js'
import { type Shape, shapeOf } from './shape.js'

const disposing = new WeakSet<object>()

/** Gives the instances of a class their `[Symbol.dispose]`. */
export function letDispose({ prototype }: Shape): void {
  const own = (prototype as Partial<Disposable>)[Symbol.dispose]
  // A parent's will do.
  if (own && ours.has(own)) return
  const value = own ? disposeAfter(own) : letGoOnce
  ours.add(value)
  Object.defineProperty(prototype, Symbol.dispose, { value, writable: true, configurable: true })
}

const ours = new WeakSet<Function>()

function letGoOnce(this: object): void {
  if (addressOf(this) !== DISPOSED) letGo(this)
}

function disposeAfter(own: () => void): () => void {
  return function (this: object): void {
    if (addressOf(this) === DISPOSED) return
    const isOutermost = !disposing.has(this)
    disposing.add(this)
    try {
      own.call(this)
      if (isOutermost) letGo(this)
    } finally {
      if (isOutermost) disposing.delete(this)
    }
  }
}

function letGo(object: object): void {
  const address = addressOf(object)
  if (address > 0 && isHeldHere(object)) {
    throw new FlatshareError(
      `${shapeOf(object)?.name ?? 'An object'} can't be disposed of while this thread is inside one of its methods, or ` +
        'has calls that wait for it: await them first.',
    )
  }
  objectEnded(object)
  // One that no method has been called on has nothing to give up, and is to be as unusable as any other.
  if (address === 0) stamp(object, DISPOSED, new Attachment(new Hold(0, 0)))
  else dropHandle(object)
}

/**
 * Gives up this thread's handle of a free-threaded object: any use of it here is an error from now on. The object's
 * memory is free when no other thread holds it, nor any other object. Twice is harmless.
 *
 * A handle that nobody disposes of is given up when it is collected as garbage, and at the end of its thread. Objects
 * have a `[Symbol.dispose]`, so `using` does the same; TypeScript knows of it where the class says so:
 * `declare [Symbol.dispose]: () => void`.
 *
 * @throws FlatshareError inside one of the object's methods, and while its calls wait on this thread.
 * @throws FlatshareError for anything that is no free-threaded object.
 * @example
 * dispose(account)
 */
export function dispose(object: object): void {
  const end = shapeOf(object) && (object as Partial<Disposable>)[Symbol.dispose]
  if (!end) throw new FlatshareError('dispose takes a free-threaded object.')
  end.call(object as Disposable)
}
