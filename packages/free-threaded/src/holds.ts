/** The async calls of this thread that hold objects' locks: see `async-hold.ts`. */
import { currentFrame, type Frame } from '@flatshare/core/internal'
import type { Access } from './access.js'
import { Queue } from './queue.js'

export class Hold {
  ended = false
  inner: Hold | undefined
  readonly queue = new Queue()

  constructor(
    readonly object: object,
    readonly lock: number,
    readonly access: Access,
    readonly outer: Hold | undefined,
  ) {}
}

/** The outermost ones, by lock. */
export const roots = new Map<number, Hold>()

/** Whether an async call of this thread holds the lock. */
export function isHeldAcrossAwait(lock: number): boolean {
  return roots.has(lock)
}

/** Whether the running code was called by the innermost async call that is inside. */
export function heldOnPath(lock: number): boolean {
  let innermost = roots.get(lock)
  if (!innermost) return false
  while (innermost.inner) innermost = innermost.inner
  for (let frame = currentFrame(); frame; frame = frame.parent) if (frame.holds === innermost) return true
  return false
}

/** The innermost call from which a frame's code came, of those that hold the lock and have not ended. */
export function outerHold(lock: number, frame: Frame | undefined): Hold | undefined {
  for (let at = frame; at; at = at.parent) {
    if (at.holds instanceof Hold && at.holds.lock === lock && !at.holds.ended) return at.holds
  }
  return undefined
}

/** How many async calls of this thread wait for a lock or run under it, by lock. */
const calls = new Map<number, number>()

export function beginCall(lock: number): void {
  calls.set(lock, (calls.get(lock) ?? 0) + 1)
}

export function endCall(lock: number): void {
  const left = calls.get(lock)! - 1
  if (left === 0) calls.delete(lock)
  else calls.set(lock, left)
}

export function hasCalls(lock: number): boolean {
  return calls.has(lock)
}
