/**
 * The limits of a progress: min and max in one word of 64 bits, so that they change together and are read together,
 * whoever writes or dies meanwhile. There is nothing to wait for.
 *
 * The halves stand as two words of 32 bits would, one after the other: `min` at the lower address.
 */
import { views } from '@flatshare/core/internal'
import { At } from './layout.js'
import { checkLimits } from './options.js'

// Engines compile in what a module's constants hold.
const memory = views

const word = new BigInt64Array(1)
const halves = new Int32Array(word.buffer)

/** Both limits of one moment. */
export interface Limits {
  readonly min: number
  readonly max: number
}

export function readLimits(at: number): Limits {
  word[0] = Atomics.load(memory.i64, (at + At.limits) >> 3)
  return { min: halves[0], max: halves[1] }
}

/**
 * Changes the limits as one step; what isn't given stays, as it is at that moment.
 *
 * @throws RangeError as `checkLimits` does, and leaves them.
 */
export function changeLimits(at: number, min?: number | null, max?: number | null): void {
  const { i64 } = memory
  const index = (at + At.limits) >> 3
  for (let seen = Atomics.load(i64, index); ; ) {
    word[0] = seen
    const [from, to] = [min ?? halves[0], max ?? halves[1]]
    checkLimits(from, to)
    halves[0] = from
    halves[1] = to
    const found = Atomics.compareExchange(i64, index, seen, word[0])
    if (found === seen) return
    seen = found
  }
}
