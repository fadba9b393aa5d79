/** Delivery without the event loop. */
import { serveNow } from '@flatshare/apartment/internal'
import { isDelivery } from './deliveries.js'
import { deliverPending } from './subscription.js'

/**
 * Delivers now, before it returns, what waits for sinks of this thread: for a loop that computes for long and would hear of
 * nothing meanwhile.
 *
 * It is what sources of this thread have raised, and what those of other threads have sent here. Sinks that return
 * promises are not awaited; what comes after waits for them, so order is kept. Nothing else that has come is served: no
 * calls, no timers. A sink that is running already is left alone. In a browser, what comes by a message port waits for the
 * event loop.
 *
 * @returns how many notifications were delivered.
 * @example
 * for (const page of pages) {
 *   index(page)
 *   dispatchPending()
 * }
 */
export function dispatchPending(): number {
  let sent = 0
  serveNow((path, args) => {
    if (!isDelivery(path[0])) return false
    const batch = args?.at(-1)
    if (Array.isArray(batch)) sent += batch.length
    return true
  })
  return sent + deliverPending()
}
