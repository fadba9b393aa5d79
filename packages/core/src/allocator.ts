/**
 * Blocks of the arena.
 *
 * Size classes (multiples of 16 bytes up to 512, then powers of two), each with a list of free blocks
 * linked through their first word, under one short lock; what no list has is cut from the top, which
 * grows the arena.
 *
 * Invariants: a block's address is a multiple of 16; a block on a list belongs to nobody; the lock's
 * word holds the id of its holder, so that a lock whose holder died is taken over. A thread that dies
 * inside can lose the one block that it was moving, never link one twice: each list changes by a single
 * store.
 */
import { FlatshareError } from './errors.js'
import { growTo, Header, i32, reach, u8 } from './memory.js'
import { lockShortly, unlockShortly } from './short-lock.js'

const GRAIN = 16
const LINEAR_CLASSES = 32
const LOCK = Header.allocatorLock >> 2
const TOP = Header.top >> 2
const MAX_BYTES = 1 << 30

function sizeClass(bytes: number): number {
  if (bytes <= GRAIN * LINEAR_CLASSES) return Math.max(0, (bytes - 1) >> 4)
  return LINEAR_CLASSES + (32 - Math.clz32(bytes - 1)) - 10
}

function classBytes(index: number): number {
  return index < LINEAR_CLASSES ? (index + 1) * GRAIN : 1 << (index - LINEAR_CLASSES + 10)
}

/**
 * Takes a block of at least `bytes`, filled with zeros. Gives its address.
 *
 * @throws FlatshareError when the arena is full.
 * @throws RangeError for a size that no block has.
 */
export function allocate(bytes: number): number {
  if (!(bytes > 0 && bytes <= MAX_BYTES)) throw new RangeError(`A block has 1 to ${MAX_BYTES} bytes, not ${bytes}.`)
  const index = sizeClass(bytes)
  const size = classBytes(index)
  const head = (Header.freeLists >> 2) + index
  lockShortly(LOCK)
  let address = 0
  let recycled = false
  try {
    address = i32[head]
    recycled = address !== 0
    if (recycled) {
      reach(address + size)
      Atomics.store(i32, head, i32[address >> 2])
    } else {
      address = i32[TOP]
      const end = address + size
      if (!growTo(end)) {
        throw new FlatshareError(
          `Shared memory is full: ${address} bytes are taken, and ${size} more were asked for in one piece.`,
        )
      }
      Atomics.store(i32, TOP, end)
    }
  } finally {
    unlockShortly(LOCK)
  }
  if (recycled) u8.fill(0, address, address + size)
  return address
}

/** Gives back a block of `bytes` that nobody uses any more. */
export function free(address: number, bytes: number): void {
  const head = (Header.freeLists >> 2) + sizeClass(bytes)
  reach(address + bytes)
  lockShortly(LOCK)
  i32[address >> 2] = i32[head]
  Atomics.store(i32, head, address)
  unlockShortly(LOCK)
}
