/** The numbers of what has identity in a value that is being encoded: an object's is how many came before. */

/** Up to so many objects are searched one by one, which is faster than a hash table. */
const FEW = 32
/** An array of more entries isn't kept for the next value. */
const MOST_KEPT = 1024

export class Numbers {
  /** How many objects have one. */
  count = 0
  #objects: unknown[] = []
  /** The objects, once there are many: one operation says whether an object is new, and adds it. */
  readonly #known = new Set<unknown>()
  /** The numbers, once there are many and one was asked for. */
  #numbers: Map<unknown, number> | undefined

  /** The number of `x`; −1 where it has none. */
  of(x: unknown): number {
    if (this.count > FEW && !this.#known.has(x)) return -1
    return this.#find(x)
  }

  /** The number that `x` has; −1 where it had none and has the next one now. */
  add(x: unknown): number {
    const count = this.count
    if (count < FEW) {
      const objects = this.#objects
      for (let i = 0; i < count; i++) if (objects[i] === x) return i
    } else {
      const known = this.#known
      if (count === FEW && known.size === 0) for (let i = 0; i < count; i++) known.add(this.#objects[i])
      const { size } = known
      known.add(x)
      if (known.size === size) return this.#find(x)
      this.#numbers?.set(x, count)
    }
    this.#objects[count] = x
    this.count = count + 1
    return -1
  }

  #find(x: unknown): number {
    const { count } = this
    const objects = this.#objects
    if (count <= FEW) {
      for (let i = 0; i < count; i++) if (objects[i] === x) return i
      return -1
    }
    if (!this.#numbers) {
      const numbers = (this.#numbers = new Map<unknown, number>())
      for (let i = 0; i < count; i++) numbers.set(objects[i], i)
    }
    return this.#numbers.get(x)!
  }

  /** All from this number on have none any more. */
  cut(from: number): void {
    for (let i = from; i < this.count; i++) {
      this.#known.delete(this.#objects[i])
      this.#numbers?.delete(this.#objects[i])
      this.#objects[i] = undefined
    }
    this.count = from
    if (from <= FEW) this.#forget()
  }

  #forget(): void {
    if (this.#known.size > 0) this.#known.clear()
    this.#numbers = undefined
  }

  clear(): void {
    const { count } = this
    if (count > MOST_KEPT) this.#objects = []
    else for (let i = 0; i < count; i++) this.#objects[i] = undefined
    if (count >= FEW) this.#forget()
    this.count = 0
  }
}
