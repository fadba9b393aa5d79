import { isProxy } from './proxy.js'
import { stubFor } from './stub.js'

/**
 * Ends other threads' use of an object or function of this thread: running calls finish, new ones (those
 * that wait their turn included) reject with `DisconnectedError`. The object itself is untouched.
 *
 * @throws TypeError for a proxy, which only the thread that has the object can disconnect, and for anything but an
 * object or a function.
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
  stubFor(object).disconnected = true
}
