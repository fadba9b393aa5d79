/** What the worker of every peer does: the same work, so that the rows differ by the way there and back alone. */
export const add = (a: number, b: number): number => a + b

/** Takes a value and gives it back. */
export const echo = <T>(value: T): T => value

/** An object to be made there. */
export class Counter {
  #total: number

  constructor(start: number) {
    this.#total = start
  }

  add(amount: number): number {
    this.#total += amount
    return this.#total
  }
}
