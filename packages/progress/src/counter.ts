/**
 * A count of 53 bits that any thread adds to, in eight bytes of shared memory.
 *
 * Small steps add to the lower word while that is below 2³¹, which costs half of a 64-bit addition. A
 * small step is below 2²⁰ and there are fewer than 2¹¹ threads, so between the look at the word and the
 * addition it can't wrap. Everything else is one 64-bit operation, which carries.
 */
import { f64, i32, i64 } from '@flatshare/core/internal'

const SMALL = 1 << 20
const MOST = Number.MAX_SAFE_INTEGER

/** What a number of items counts as: whole, not negative, not infinite. */
export function items(n: number, name: string): number {
  if (typeof n !== 'number' || Number.isNaN(n)) throw new TypeError(`${name} must be a number, not ${String(n)}.`)
  return n <= 0 ? 0 : n >= MOST ? MOST : Math.floor(n)
}

/** Adds a whole, non-negative `n`. Gives the sum. */
export function addCount(address: number, n: number): number {
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

/** Raises the count to `n` if it is less. */
export function raiseCount(address: number, n: number): void {
  const index = address >> 3
  const raised = BigInt(n)
  for (let seen = Atomics.load(i64, index); seen < raised; ) {
    const found = Atomics.compareExchange(i64, index, seen, raised)
    if (found === seen) return
    seen = found
  }
}

export function readCount(address: number): number {
  return Number(Atomics.load(i64, address >> 3))
}

const bits = new BigInt64Array(1)
const double = new Float64Array(bits.buffer)

/** Changes a double in shared memory as one step. Gives the value before. */
export function changeDouble(address: number, change: (now: number) => number): number {
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
  return f64[address >> 3]
}
