/**
 * Waiting for a word of shared memory without blocking.
 *
 * Over `Atomics.waitAsync` where it exists, else by looking again at growing intervals. While somebody
 * waits, this thread's event loop is held open, unless they say otherwise. At the death of any thread all waits of this thread are
 * woken, because the dead one may have swallowed a wake-up; a wake-up means "look again".
 */
import { holdOpen } from '#platform'
import { onThreadExitInternal } from './lifecycle.js'
import { i32 } from './memory.js'

type WaitAsync = (
  view: Int32Array,
  index: number,
  expected: number,
  timeout: number,
) => { async: false; value: string } | { async: true; value: Promise<string> }

/** The runtime's own; undefined where it has none. */
export const nativeWait = (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync?.bind(Atomics)

const pending = new Map<number, number>()

onThreadExitInternal(() => {
  for (const address of pending.keys()) Atomics.notify(i32, address >> 2)
})

/** How to wait. */
export interface WaitOptions {
  /** Whether the wait keeps this thread alive: true unless given. */
  hold?: boolean
}

/** Resolves when woken at `address`, at once where its word isn't `expected`, or after `timeout` milliseconds. */
export async function waitAsync(
  address: number,
  expected: number,
  timeout = Infinity,
  { hold = true }: WaitOptions = {},
): Promise<'woken' | 'timed-out'> {
  const index = address >> 2
  const release = hold ? holdOpen() : undefined
  pending.set(address, (pending.get(address) ?? 0) + 1)
  try {
    if (!nativeWait) return await waitByLooking(index, expected, timeout)
    const result = nativeWait(i32, index, expected, timeout)
    return (await result.value) === 'timed-out' ? 'timed-out' : 'woken'
  } finally {
    release?.()
    const left = pending.get(address)! - 1
    if (left === 0) pending.delete(address)
    else pending.set(address, left)
  }
}

/** Wakes this thread's own waits at `address` (and, harmlessly, the others): one of them was given up. */
export function wakeWaiters(address: number): void {
  Atomics.notify(i32, address >> 2)
}

async function waitByLooking(index: number, expected: number, timeout: number): Promise<'woken' | 'timed-out'> {
  const end = performance.now() + timeout
  for (let pause = 1; ; pause = Math.min(pause * 2, 32)) {
    if (Atomics.load(i32, index) !== expected) return 'woken'
    const left = end - performance.now()
    if (left <= 0) return 'timed-out'
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)))
  }
}
