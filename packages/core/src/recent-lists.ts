/**
 * The lists of events that came to this thread last, for the other sinks here that are about to get the same ones: each a
 * copy of its own, with the same events.
 *
 * A batch comes once for each sink that is to hear of it. How often the last ones came tells how often the next one will,
 * and so long its list is kept; not at all where each comes once, as is assumed of the first. What collects young garbage
 * takes a WeakRef's object for alive, and would copy the lists of a flood over and over.
 */

interface Recent<T> {
  readonly number: number
  came: number
  list: WeakRef<T[]> | undefined
}

/** Of one turn of raising. */
const MOST = 8

/** Of batches of one thread, which has numbered them. */
export class RecentLists<T> {
  /** The latest first. */
  readonly #recent: Recent<T>[] = []
  /** How often each may come: as often as one of the last. */
  #times = 0

  /**
   * The list of the batch that has come, as it came before, if it did and that wasn't collected meanwhile.
   *
   * @param make is told whether others may be given the same events.
   */
  get(number: number, make: (shared: boolean) => T[]): T[] {
    const recent = this.#recent.find((one) => one.number === number) ?? this.#add(number)
    if (++recent.came > this.#times) this.#times = recent.came
    const shared = recent.came < this.#times
    const known = recent.list?.deref()
    const list = known ?? make(shared)
    if (!shared) {
      recent.list = undefined
      return list
    }
    if (!known) recent.list = new WeakRef(list)
    return list.slice()
  }

  #add(number: number): Recent<T> {
    const recent: Recent<T> = { number, came: 0, list: undefined }
    if (this.#recent.unshift(recent) > MOST) {
      this.#times = Math.max(...this.#recent.map(({ came }) => came))
      this.#recent.pop()
    }
    return recent
  }
}
