/** A key and how often it was seen. */
export interface Tallied {
  key: string
  count: number
}

/** Counts keys. */
export class Tally {
  readonly #counts = new Map<string, number>()

  get distinct(): number {
    return this.#counts.size
  }

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  /** The keys seen most often; among equals the order is that of their code units, the same in every locale. */
  top(limit: number): Tallied[] {
    return Array.from(this.#counts, ([key, count]) => ({ key, count }))
      .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
      .slice(0, limit)
  }
}
