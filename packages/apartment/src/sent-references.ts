/**
 * The objects of this thread that the other end of one link holds.
 *
 * A reference is counted once for each time that it was sent, before its message goes, and uncounted if
 * that couldn't go, or by as many as a RELEASE says.
 */
import { hold, type Stub } from './stub.js'

export class SentReferences {
  readonly #counts = new Map<number, number>()

  get size(): number {
    return this.#counts.size
  }

  /** Whether the other end holds that object. */
  has(id: number): boolean {
    return this.#counts.has(id)
  }

  /** Counts a reference that is sent to the other end; gives how to uncount it. */
  count(stub: Stub): () => void {
    this.#counts.set(stub.id, (this.#counts.get(stub.id) ?? 0) + 1)
    hold(stub.id, 1, stub)
    return () => this.uncount(stub.id, 1)
  }

  /** The other end has let go of so many. */
  uncount(id: number, arrivals: number): void {
    const counted = this.#counts.get(id) ?? 0
    // Nobody lets go of what he doesn't hold, or of less than one.
    if (counted === 0 || !Number.isInteger(arrivals) || arrivals < 1) return
    const less = Math.min(counted, arrivals)
    if (less === counted) this.#counts.delete(id)
    else this.#counts.set(id, counted - less)
    hold(id, -less)
  }

  /** The other end is gone, and holds nothing any more. */
  clear(): void {
    for (const [id, count] of this.#counts) hold(id, -count, undefined, true)
    this.#counts.clear()
  }
}
