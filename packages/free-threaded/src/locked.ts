/**
 * Code that runs under the locks of one object or of several.
 *
 * Locks are taken in the order of their addresses, all groups of each object: so two that lock the same objects, in
 * whatever order they name them, can't wait for each other. What the running code holds already it goes into.
 */
import { DowngradeError, FlatshareError, modelOf } from '@flatshare/core'
import { type Access, makeAccess } from './access.js'
import { blockOf } from './adoption.js'
import { runInside } from './async-hold.js'
import { type Entry, enter, leave } from './object-lock.js'
import { type Shape, shapeOf } from './shape.js'
import { refusePromise } from './synchronous.js'

/** Proxies behave as apartment-threaded objects, and tell nothing of their class. */
function isProxyOfApartment(x: unknown): boolean {
  return modelOf(x) === 'apartment' && typeof x === 'object' && (x as object).constructor === undefined
}

/** @throws FlatshareError for anything but a free-threaded object. */
export function requireShape(object: unknown, asker: string): Shape {
  const shape = typeof object === 'object' && object !== null ? shapeOf(object) : undefined
  if (shape) return shape
  throw isProxyOfApartment(object)
    ? new DowngradeError(
        `${asker} takes an object whose memory this thread shares. This one, ${String(object)}, is a proxy: the object ` +
          'lives elsewhere. Instead: await its methods; make what is to be one step one of them.',
      )
    : new FlatshareError(`${asker} takes an object of a free-threaded class.`)
}

interface WantedLock {
  readonly object: object
  readonly lock: number
  readonly access: Access
}

const known = new WeakMap<Shape, Record<string, readonly Access[]>>()

/** Access to all groups of a class, for an asker. */
function accessesTo(shape: Shape, asker: string): readonly Access[] {
  let byAsker = known.get(shape)
  if (!byAsker) known.set(shape, (byAsker = {}))
  return (byAsker[asker] ??= [...shape.groups.values()]
    .sort((a, b) => a.lockOffset - b.lockOffset)
    .map((group) => makeAccess(`${shape.name}.${asker}()`, group)))
}

/** Without duplicates, in order. */
function locksOf(objects: readonly unknown[], asker: string): WantedLock[] {
  const wanted = new Map<number, WantedLock>()
  for (const object of objects) {
    const shape = requireShape(object, asker)
    const address = blockOf(object as object)
    for (const access of accessesTo(shape, asker)) {
      const lock = address + access.lockOffset
      wanted.set(lock, { object: object as object, lock, access })
    }
  }
  return [...wanted.values()].sort((a, b) => a.lock - b.lock)
}

function checkArguments(objects: unknown, fn: unknown, asker: string): readonly unknown[] {
  if (typeof fn !== 'function') throw new TypeError(`${asker} takes a function to run with the lock held.`)
  return Array.isArray(objects) ? objects : [objects]
}

/**
 * Runs `fn` while holding the lock of an object, or of several: several calls as one, that no other thread sees half
 * done. Gives what `fn` gives; an error releases the locks and goes on. All groups of the objects are locked, for
 * writing; two calls that lock the same objects can't wait for each other for ever, in whatever order they name them.
 *
 * It blocks while another thread is inside. `fn` must be synchronous: the locks end with it.
 *
 * @throws FlatshareError for objects that aren't free-threaded, and when `fn` gives a promise.
 * @throws AbandonedError, DeadlockError, CannotBlockError as a method of the object would.
 * @example
 * locked(account, () => { if (account.balance >= 10) account.withdraw(10) })
 * @example
 * locked([mine, yours], (mine, yours) => { mine.withdraw(10); yours.deposit(10) })
 */
export function locked<const T extends readonly object[], R>(objects: T, fn: (...objects: T) => R): R
export function locked<T extends object, R>(object: T, fn: (object: T) => R): R
export function locked(objects: object, fn: (...objects: any[]) => unknown): unknown {
  const list = checkArguments(objects, fn, 'locked')
  const locks = locksOf(list, 'locked')
  const entries: Entry[] = []
  try {
    for (const { object, lock, access } of locks) entries.push(enter(object, lock, access))
    const result = fn(...list)
    if (typeof result === 'object' && result !== null) refusePromise(result, locks[0]?.access.name ?? 'locked()')
    return result
  } finally {
    for (let i = entries.length - 1; i >= 0; i--) {
      const { object, lock, access } = locks[i]!
      leave(object, lock, access, entries[i]!)
    }
  }
}

/**
 * As `locked`, for an async function: the locks are held until its promise settles, and waiting for them never blocks
 * the thread. What `fn` calls goes in, as from an async method.
 *
 * It rejects with a FlatshareError for objects that aren't free-threaded, and with an AbandonedError as a method would.
 *
 * @example
 * await lockedAsync([mine, yours], async (mine, yours) => yours.deposit(await mine.withdrawAll()))
 */
export function lockedAsync<const T extends readonly object[], R>(
  objects: T,
  fn: (...objects: T) => R | PromiseLike<R>,
): Promise<R>
export function lockedAsync<T extends object, R>(object: T, fn: (object: T) => R | PromiseLike<R>): Promise<R>
export async function lockedAsync(objects: object, fn: (...objects: any[]) => unknown): Promise<unknown> {
  const list = checkArguments(objects, fn, 'lockedAsync')
  let run = () => fn(...list)
  for (const { object, lock, access } of locksOf(list, 'lockedAsync').reverse()) {
    const inner = run
    run = () => runInside(object, lock, access, inner)
  }
  return run()
}
