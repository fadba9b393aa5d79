/** How much shared memory has ever been taken: what is given back is taken again first. */
import { arena } from '@flatshare/core/internal'

/** The place of that number in the arena (see core's memory.ts). */
const TOP = 16 >> 2

export function arenaTop(): number {
  return Atomics.load(new Int32Array(arena()), TOP)
}

/** What a direction of a link takes of it. */
export const RING_BYTES = 65_536
