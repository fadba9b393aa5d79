/**
 * Stamps tell a value block from another one that comes to lie at the same address, so that a thread may
 * keep what it has decoded: the same address with the same stamp is the same value.
 *
 * Each thread counts in steps that meet all 2³² numbers before one comes again, from a start of its own.
 */
import { ownThreadId } from '@flatshare/core/internal'

const STEP = 0x9e3779b1
let last: number | undefined

export function nextStamp(): number {
  last ??= Math.imul(ownThreadId(), 0x85ebca6b) ^ ((Math.random() * 0x1_0000_0000) | 0)
  return (last = (last + STEP) | 0)
}

/** What a thread keeps of a cell that it has read: see above. */
export interface Kept {
  address: number
  stamp: number
  value: unknown
}
