/** Calls that block: the same members, synchronous. */
import { CannotBlockError } from '@flatshare/core'
import { functionKind, isThenable } from '@flatshare/core/internal'
import type { Blocking } from './blocking-types.js'
import { blockingView, isProxy } from './proxy.js'
import type { RemoteHandle } from './remote.js'

/**
 * The same object or function, with calls that block this thread until they are answered: methods give their awaited
 * result, getters their value, and failures are thrown. It works on every thread that may block, the main thread of
 * Node calling a worker included, and takes a proxy (also one of `callWith`, whose timeout counts) or an
 * object of this thread or a free-threaded one, whose methods are called directly; so code survives a change
 * of the threading model.
 *
 * While it blocks, the thread's timers, I/O and promises rest, and calls from other threads wait. Those to which its
 * own call has led are served at once, to any depth and over any number of threads: the thread that you call may
 * call you back, if what it calls returns at once. A callback that gives a promise can't settle
 * meanwhile: its caller gets a `CannotBlockError`.
 *
 * It never hangs silently. The end of the called thread ends the call. Of threads that are blocked in a circle, by calls and
 * locks, one gets a `DeadlockError`. A thread that is not blocked but, 30 seconds later, only awaits something (it may be
 * what this thread is to do) ends the call with a `TimeoutError`, unless the call has a timeout of its own. For a
 * thread that computes it waits as long as that takes.
 *
 * @throws CannotBlockError, from the call, where the thread may not block (a page's main thread) or can't read messages
 * meanwhile (workers in browsers), and for an async method of an object of this thread.
 * @throws TypeError for anything but an object or a function.
 * @example
 * const total = blocking(mailbox).count()
 * const soon = blocking(callWith(mailbox, { timeout: 500 })).count()
 */
export function blocking<P extends RemoteHandle>(proxy: P): Blocking<P>
export function blocking<T extends object>(own: T): Blocking<T>
export function blocking(x: object): unknown {
  if ((typeof x !== 'object' && typeof x !== 'function') || x === null) {
    throw new TypeError('blocking takes a proxy, or an object or function of this thread.')
  }
  return isProxy(x) ? blockingView(x) : ownView(x)
}

const ownViews = new WeakMap<object, object>()

/** An object of this thread, whose calls give no promises. */
function ownView(own: object): object {
  let view = ownViews.get(own)
  if (!view) ownViews.set(own, (view = new Proxy(own, handler)))
  return view
}

const handler: ProxyHandler<object> = {
  get(own, key) {
    const value: unknown = Reflect.get(own, key, own)
    if (typeof value !== 'function') return settled(value, () => `The property ${String(key)}`)
    const { writable, configurable } = Reflect.getOwnPropertyDescriptor(own, key) ?? {}
    // What a Proxy may not hide.
    if (writable === false && configurable === false) return value
    return methodOf(own, key, value)
  },
  set: (own, key, value) => Reflect.set(own, key, value, own),
  apply: (own, self, args: unknown[]) => callNow(own as Function, self, args, (own as Function).name || 'The function'),
}

const methods = new WeakMap<object, Map<PropertyKey, { readonly of: Function; readonly method: Function }>>()

/** The same function for the same method. */
function methodOf(own: object, key: PropertyKey, of: Function): Function {
  let known = methods.get(own)
  if (!known) methods.set(own, (known = new Map()))
  let entry = known.get(key)
  if (entry?.of !== of) {
    entry = { of, method: (...args: unknown[]) => callNow(of, own, args, `${String(key)}()`) }
    known.set(key, entry)
  }
  return entry.method
}

function callNow(fn: Function, self: unknown, args: unknown[], name: string): unknown {
  // Known before it runs, where the compiler has left it in sight.
  if (functionKind(fn) === 'async') throw promised(name)
  return settled(Reflect.apply(fn, self, args), () => name)
}

function settled(value: unknown, name: () => string): unknown {
  if (isThenable(value)) throw promised(name())
  return value
}

function promised(name: string): CannotBlockError {
  return new CannotBlockError(
    `${name} of an object of this thread gives a promise, which can't settle while the thread blocks. Instead: await it.`,
  )
}
