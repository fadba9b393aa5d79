import { setImmediate as turn } from 'node:timers/promises'
import { currentThread } from '@flatshare/core'
import { livingThreads, parkedAt } from '@flatshare/core/internal'
import { startThread } from './thread.js'

/** What threads wait at. */
export const gate = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))

export function open(cell: Int32Array): void {
  Atomics.store(cell, 0, 1)
  Atomics.notify(cell, 0)
}

/** Lets another thread open the gate, at any time from now on: this one may block meanwhile. */
export function openElsewhere(cell: Int32Array): void {
  startThread('./threads/opener.js').worker.postMessage(cell)
}

/** Resolves once another thread is blocked for a lock. */
export async function blocked(): Promise<void> {
  while (!livingThreads().some((id) => id !== currentThread.id && parkedAt(id) !== 0)) await turn()
}

/** A promise to be settled by hand. */
export function pause(): { readonly promise: Promise<void>; readonly end: () => void } {
  let end!: () => void
  const promise = new Promise<void>((resolve) => {
    end = resolve
  })
  return { promise, end }
}
