/**
 * A map from the numbers of calls, as `Map`, for what comes and goes with each call: an engine's `Map` leaves garbage where
 * entries come and go, which takes longer than all else.
 *
 * The numbers of one thread's calls follow one another, so the last ones have a place each in a list. An entry whose place
 * is taken, by one that has stayed for long, goes into a map.
 */
import { serialOf } from '@flatshare/core/internal'

/** A power of two: more than are commonly under way. */
const PLACES = 256

export class RecentMap<V extends object> {
  /** Of the entries that have a place. */
  readonly #keys = new Array<number>(PLACES).fill(Number.NaN)
  readonly #values = new Array<V | undefined>(PLACES).fill(undefined)
  readonly #others = new Map<number, V>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: number): V | undefined {
    const place = serialOf(key) & (PLACES - 1)
    if (this.#keys[place] === key) return this.#values[place]
    return this.#others.size === 0 ? undefined : this.#others.get(key)
  }

  /** Enters what isn't in it. */
  add(key: number, value: V): void {
    const place = serialOf(key) & (PLACES - 1)
    if (this.#values[place] === undefined) {
      this.#keys[place] = key
      this.#values[place] = value
    } else this.#others.set(key, value)
    this.#size++
  }

  delete(key: number): void {
    const place = serialOf(key) & (PLACES - 1)
    if (this.#keys[place] === key && this.#values[place] !== undefined) {
      this.#keys[place] = Number.NaN
      this.#values[place] = undefined
    } else if (!this.#others.delete(key)) return
    this.#size--
  }

  /** All that are in it by now. */
  values(): V[] {
    return [...this.#values.filter((value) => value !== undefined), ...this.#others.values()]
  }
}
