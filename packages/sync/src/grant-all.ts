/** Lets everybody go who waits at an address: for primitives that open, and then stand open. */
import type { Waiting } from './waiting.js'

/** Grants all that wait at `address`. Inside the guard. Who repeats it after a death finishes what was begun. */
export function grantAll(waiting: Waiting, address: number): void {
  const { queues } = waiting
  let node = waiting.firstLiving(address)
  while (node !== 0) {
    // One of this thread's own asynchronous waiters is gone once it is granted.
    const next = waiting.nextLiving(node)
    if (!queues.isGranted(node)) queues.grant(node)
    node = next
  }
}
