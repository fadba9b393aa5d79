/**
 * Shapes that stay.
 *
 * Engines drop the shape of objects of which none is left when they collect all garbage, and with it all code compiled for
 * them. What comes and goes with each call or event is compiled again then, for milliseconds, after each such collection.
 * So one object of each such kind is kept.
 */

const kept: object[] = []
const promises: Array<() => Promise<unknown>> = []

/** Keeps one of a kind for good. */
export function keepOne(one: object): void {
  kept.push(one)
}

/** As `keepOne`, of a class of promises: one more once the runtime marks them (`trackAcrossAwait`), as that is a new shape. */
export function keepPromise(make: () => Promise<unknown>): void {
  kept.push(make())
  promises.push(make)
}

/** The runtime marks promises from now on. */
export function keepMarked(): void {
  for (const make of promises) kept.push(make())
}
