/** Blocks of the arena that all threads find by a word of its header. */
import { allocate, free } from './allocator.js'
import { arena, Header, i32, reach } from './memory.js'

/** What such a block is for. */
export type SharedBlock =
  | 'waitQueues'
  | 'lockTable'
  | 'heap'
  | 'callCells'
  | 'objectTable'
  | 'rings'
  | 'initializations'
  | 'serviceThread'

/** The one block for this use: made by whoever comes first, filled with zeros. */
export function sharedBlock(use: SharedBlock, bytes: number): number {
  arena()
  const index = Header[use] >> 2
  let address = Atomics.load(i32, index)
  if (address === 0) {
    const fresh = allocate(bytes)
    address = Atomics.compareExchange(i32, index, 0, fresh)
    if (address === 0) address = fresh
    else free(fresh, bytes)
  }
  reach(address + bytes)
  return address
}
