import { modelOf } from '@flatshare/core'
import { isProxy } from './proxy.js'
import { stubFor } from './stub.js'

/**
 * Ends other threads' use of an object or function of this thread: running calls finish; those that wait their turn
 * reject at once, and so does every later one, with `DisconnectedError`, also where it is reached by the name under
 * which it is served or registered. The object itself is untouched, comes home as itself, and can't be connected again.
 *
 * @throws TypeError for a proxy, which only the thread that has the object can disconnect, for a free-threaded object,
 * and for anything but an object or a function.
 * @example
 * disconnect(mailbox) // before closing what it stands on
 */
export function disconnect(object: object): void {
  if ((typeof object !== 'object' && typeof object !== 'function') || object === null) {
    throw new TypeError('disconnect takes an object or a function of this thread.')
  }
  if (isProxy(object)) {
    throw new TypeError('disconnect takes an object of this thread, not a proxy: release(proxy) lets go of one.')
  }
  if (modelOf(object) === 'free') {
    throw new TypeError(
      'disconnect takes an object whose calls run on its thread; a free-threaded one is used directly.',
    )
  }
  stubFor(object).disconnect()
}
