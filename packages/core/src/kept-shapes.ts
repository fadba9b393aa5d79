/**
 * Shapes that stay.
 *
 * Engines drop the shape of objects of which none is left when they collect all garbage, and with it all code compiled for
 * them. What comes and goes with each call or event is compiled again then, for milliseconds, after each such collection.
 * So one object of each such kind is kept.
 */

const kept: object[] = []
const makers: Array<() => object> = []

/** Keeps one of a kind for good; one more, with the runtime's marks, once it marks what it makes (`trackAcrossAwait`). */
export function keepOne(make: () => object): void {
  kept.push(make())
  makers.push(make)
}

/** The runtime marks promises, and what it queues, from now on. */
export function keepMarked(): void {
  for (const make of makers) kept.push(make())
}
