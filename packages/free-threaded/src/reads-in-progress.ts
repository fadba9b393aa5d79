/**
 * Which objects the running code reads: the `@Reads` methods that it was called from. Those that run synchronously
 * stand on a stack; async ones are known by their frames, across `await` too.
 */
import { FlatshareError } from '@flatshare/core'
import { currentFrame } from '@flatshare/core/internal'
import type { Access } from './access.js'

/** An async `@Reads` call, in its frames. */
export class ReadHold {
  /** What it has started and not awaited may run on. */
  ended = false

  constructor(
    readonly lock: number,
    readonly name: string,
  ) {}
}

/** The synchronous ones, innermost last: which lock, which member. */
const locks: number[] = []
const names: string[] = []

/** How many of those run without a lock: see `versions.ts`. On the stack their locks are complemented. */
export let optimisticReads = 0

export function beginRead(lock: number, name: string): void {
  locks.push(lock)
  names.push(name)
}

export function endRead(): void {
  locks.pop()
  names.pop()
}

export function beginOptimisticRead(lock: number, name: string): void {
  optimisticReads++
  beginRead(~lock, name)
}

export function endOptimisticRead(): void {
  optimisticReads--
  endRead()
}

/** Whether the running code reads by this lock's version, and not by the lock itself. */
export function readsOptimistically(lock: number): boolean {
  return optimisticReads !== 0 && locks.includes(~lock)
}

/** The member from which the running code came, if that is one that only reads by this lock. */
export function readerOnPath(lock: number): string | undefined {
  for (let i = locks.length - 1; i >= 0; i--) if (locks[i] === lock || locks[i] === ~lock) return names[i]
  for (let frame = currentFrame(); frame; frame = frame.parent) {
    const { holds } = frame
    if (holds instanceof ReadHold && holds.lock === lock && !holds.ended) return holds.name
  }
  return undefined
}

/** @throws FlatshareError where the running code was called by a `@Reads` method of the same object. */
export function refuseInsideRead(lock: number, access: Access): void {
  const reader = readerOnPath(lock)
  if (reader === undefined) return
  const field = access.name.endsWith(' =')
  const does = field ? `writes ${access.name.slice(0, -2)}` : `calls ${access.name}`
  throw new FlatshareError(
    `${reader} is marked @Reads, so others read the object meanwhile, but it ${does}${field ? '' : ', which locks it for writing'}. ` +
      `Remove @Reads from ${reader}${field ? '' : `, or put it on ${access.name} too if that only reads`}.`,
  )
}
