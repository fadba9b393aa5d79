/** Things that are remembered for as long as somebody else holds them. What is gone is cleared away now and then. */
export class WeakBag<T extends object> {
  #refs: Array<WeakRef<T>> = []
  #clearAt = 16

  add(thing: T): void {
    if (this.#refs.length >= this.#clearAt) this.#clear()
    this.#refs.push(new WeakRef(thing))
  }

  /** As many steps as there have been additions since the last time, so an addition costs the same on average. */
  #clear(): void {
    this.#refs = this.#refs.filter((ref) => ref.deref() !== undefined)
    this.#clearAt = Math.max(16, this.#refs.length * 2)
  }

  /** Those that are there still, in the order in which they came; the bag is empty then. */
  takeAll(): T[] {
    const all = this.#refs.flatMap((ref) => ref.deref() ?? [])
    this.#refs = []
    return all
  }
}
