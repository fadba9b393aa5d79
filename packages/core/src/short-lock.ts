/**
 * A lock around a few loads and stores: its word holds the id of its holder, 0 when it is free.
 *
 * Nobody is notified: it is held for nanoseconds, and a notify at each unlock would cost more. The word of a holder
 * that died is taken over, so what it guards must be whole after each single store.
 */
import { i32 } from './memory.js'
import { canBlock, isAlive, ownThreadId } from './threads.js'

const SPINS = 200

/** Takes the lock; `index` counts 32-bit words. */
export function lockShortly(index: number): void {
  const me = ownThreadId()
  for (let spins = 0; ; spins++) {
    const holder = Atomics.compareExchange(i32, index, 0, me)
    if (holder === 0) return
    if (!isAlive(holder) && Atomics.compareExchange(i32, index, holder, me) === holder) return
    if (spins > SPINS && canBlock()) Atomics.wait(i32, index, holder, 1)
  }
}

export function unlockShortly(index: number): void {
  Atomics.store(i32, index, 0)
}
