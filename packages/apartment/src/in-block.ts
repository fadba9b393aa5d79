/** Shared memory for a moment. */
import { allocate, free, reach } from '@flatshare/core/internal'

/** Calls back with a block of its own, at least so long, which is given back then. */
export function inBlock<R>(bytes: number, use: (block: number) => R): R {
  const length = Math.max(bytes, 16)
  const block = allocate(length)
  reach(block + length)
  try {
    return use(block)
  } finally {
    free(block, length)
  }
}
