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

/** In an object, since engines compile a constant object's address in, and load and check an exported variable at each use. */
export const reads = {
  /** The innermost synchronous one: which lock, 0 for none, and which member. */
  lock: 0,
  name: '',
  /** How many of those run without a lock: see `versions.ts`. Their locks stand complemented. */
  optimistic: 0,
}

/** The others, outermost first. */
const outerLocks: number[] = []
const outerNames: string[] = []

export function beginRead(lock: number, name: string): void {
  if (reads.lock !== 0) {
    outerLocks.push(reads.lock)
    outerNames.push(reads.name)
  }
  reads.lock = lock
  reads.name = name
}

export function endRead(): void {
  if (outerLocks.length === 0) reads.lock = 0
  else {
    reads.lock = outerLocks.pop()!
    reads.name = outerNames.pop()!
  }
}

export function beginOptimisticRead(lock: number, name: string): void {
  reads.optimistic++
  beginRead(~lock, name)
}

export function endOptimisticRead(): void {
  reads.optimistic--
  endRead()
}

/** Whether the running code reads by this lock's version, and not by the lock itself. */
export function readsOptimistically(lock: number): boolean {
  return reads.optimistic !== 0 && (reads.lock === ~lock || outerLocks.includes(~lock))
}

/** The member from which the running code came, if that is one that only reads by this lock. */
export function readerOnPath(lock: number): string | undefined {
  if (reads.lock === lock || reads.lock === ~lock) return reads.name
  for (let i = outerLocks.length - 1; i >= 0; i--) {
    if (outerLocks[i] === lock || outerLocks[i] === ~lock) return outerNames[i]
  }
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
