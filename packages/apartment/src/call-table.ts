/**
 * Calls that are not answered, by their ids.
 *
 * The ids of one thread's calls follow one another, so the last ones have a place each in a list. A call whose place is
 * taken, by one that has waited for long, goes into a map.
 */
import { type CallId, serialOf } from '@flatshare/core/internal'

/** A power of two: more than are commonly under way. */
const PLACES = 128

export class CallTable<C extends { readonly id: CallId }> {
  readonly #places: Array<C | undefined> = new Array<C | undefined>(PLACES).fill(undefined)
  readonly #others = new Map<CallId, C>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Enters a call that isn't in it. */
  add(call: C): void {
    const place = serialOf(call.id) & (PLACES - 1)
    if (this.#places[place] === undefined) this.#places[place] = call
    else this.#others.set(call.id, call)
    this.#size++
  }

  get(id: CallId): C | undefined {
    const call = this.#places[serialOf(id) & (PLACES - 1)]
    if (call !== undefined && call.id === id) return call
    return this.#others.size === 0 ? undefined : this.#others.get(id)
  }

  /** Takes a call out, if it is there. */
  take(id: CallId): C | undefined {
    const place = serialOf(id) & (PLACES - 1)
    let call = this.#places[place]
    if (call !== undefined && call.id === id) this.#places[place] = undefined
    else if (this.#others.size === 0) return undefined
    else {
      call = this.#others.get(id)
      if (!this.#others.delete(id)) return undefined
    }
    this.#size--
    return call
  }

  /** All of them, in the order in which they were made. */
  all(): C[] {
    const calls = [...this.#others.values()]
    for (const call of this.#places) if (call) calls.push(call)
    return calls.sort((a, b) => a.id - b.id)
  }

  clear(): void {
    this.#places.fill(undefined)
    this.#others.clear()
    this.#size = 0
  }
}
