/**
 * A count of 53 bits that any thread adds to, in eight bytes of shared memory.
 *
 * Small steps add to the lower word while that is below 2³¹, which costs half of a 64-bit addition. A
 * small step is below 2²⁰ and there are fewer than 2¹¹ threads, so between the look at the word and the
 * addition it can't wrap. Everything else is one 64-bit operation, which carries.
 */
import { views } from '@flatshare/core/internal'

// Engines compile in what a module's constants hold.
const memory = views

const SMALL = 1 << 20
const MOST = Number.MAX_SAFE_INTEGER

/** What a number of items counts as: whole, not negative, not infinite. */
export function items(n: number, name: string): number {
  return (n | 0) === n && n >= 0 ? n : oddItems(n, name)
}

function oddItems(n: number, name: string): number {
  if (typeof n !== 'number' || Number.isNaN(n)) throw new TypeError(`${name} must be a number, not ${String(n)}.`)
  return n <= 0 ? 0 : n >= MOST ? MOST : Math.floor(n)
}

/** Adds a whole, non-negative `n`. Gives the sum. */
export function addCount(address: number, n: number): number {
  const { i32, i64 } = memory
  const low = address >> 2
  if (n < SMALL && i32[low] >= 0) {
    const high = i32[low + 1]
    const sum = (Atomics.add(i32, low, n) >>> 0) + n
    // Whoever carries goes through here too, so an unchanged high word belongs to this low one.
    if (high === 0 && i32[low + 1] === 0) return sum
    return readCount(address)
  }
  return Number(Atomics.add(i64, address >> 3, BigInt(n))) + n
}

const HALF = 0x80000000

/**
 * Raises the count to `n` if it is less.
 *
 * @param total what the count counts up to, 0 if unknown. Where it is below 2³¹, the lower word is all that matters: a
 * count that has a higher one is beyond the total, whatever is added to it.
 */
export function raiseCount(address: number, n: number, total: number): void {
  if (total > 0 && total < HALF && n < HALF) raiseLow(address, n)
  else raiseAll(address, BigInt(n))
}

function raiseLow(address: number, n: number): void {
  const { i32 } = memory
  const low = address >> 2
  for (let seen = i32[low]; seen >= 0 && seen < n && i32[low + 1] === 0; ) {
    const found = Atomics.compareExchange(i32, low, seen, n)
    if (found === seen) return
    seen = found
  }
}

function raiseAll(address: number, n: bigint): void {
  const { i64 } = memory
  const index = address >> 3
  for (let seen = Atomics.load(i64, index); seen < n; ) {
    const found = Atomics.compareExchange(i64, index, seen, n)
    if (found === seen) return
    seen = found
  }
}

export function readCount(address: number): number {
  return Number(Atomics.load(memory.i64, address >> 3))
}

const bits = new BigInt64Array(1)
const double = new Float64Array(bits.buffer)

/** Changes a double in shared memory as one step. Gives the value before. */
export function changeDouble(address: number, change: (now: number) => number): number {
  const { i64 } = memory
  const index = address >> 3
  for (let seen = Atomics.load(i64, index); ; ) {
    bits[0] = seen
    const now = double[0]
    double[0] = change(now)
    const found = Atomics.compareExchange(i64, index, seen, bits[0])
    if (found === seen) return now
    seen = found
  }
}

/** An aligned double is read in one piece by every engine there is. */
export function readDouble(address: number): number {
  return memory.f64[address >> 3]
}
