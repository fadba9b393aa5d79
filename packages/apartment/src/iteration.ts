/**
 * What is said between an iterator at home and the thread that iterates it: calls of one function of the home thread.
 *
 *   PULL credit    up to so many items; answered as soon as there is one and no more came in the same turn
 *   RETURN value   ends it, as `break` in a loop does; answered by what the iterator's `return` gave
 *   THROW error    the same by its `throw`
 *   NEXT value     one step with a value for the generator's `yield`; nothing was asked in advance
 *   ABORT reason   ends it like RETURN, given up by the signal or timeout of the call that gave it; without an answer
 *
 * Back pressure: nothing is produced but for a PULL. Its credit begins at 1 and doubles with each answer that used it
 * up, so that who stops after a few items has caused no more than about as many, and who takes many gets them in
 * batches. Beyond what the other side waits for, the home runs ahead only while items come at once, in the turn in
 * which they were asked for: an iterator that waits for something has one step at a time, and is suspended between
 * two as it would be in a loop at home.
 *
 * Invariants: items arrive in order, each once, as they were when the iterator gave them: one that waits for the next of
 * its batch waits as a copy, and one of which only sending tells whether it can cross (see `snapshot.ts`) goes alone, so
 * that those before it arrive whatever becomes of it; an error arrives after the items before it; the home holds no more
 * items than were asked for; when nobody holds the function any more, an iteration that began is ended.
 */
export const PULL = 0
export const RETURN = 1
export const THROW = 2
export const NEXT = 3
export const ABORT = 4

/** What a PULL gives. `value` is what the iterator ended with. */
export type Batch = readonly [items: readonly unknown[], done: boolean, value?: unknown]
/** What the others give. */
export type StepResult = readonly [value: unknown, done: boolean]

/**
 * Until when an iteration is wanted as a whole: a cell of the iterating thread (see `call-cells.ts`), and a deadline; where
 * that is in another process, how many milliseconds are left.
 */
export type WholeIteration = readonly [
  cell?: number | undefined,
  turn?: number | undefined,
  deadline?: number | undefined,
  left?: number | undefined,
]

/** Of an iterator: takes it a step further. The first one tells of limits, where there are any. */
export type Step = {
  (what: typeof PULL, credit: number, whole?: WholeIteration): Promise<Batch>
  (what: typeof RETURN | typeof THROW | typeof NEXT, x: unknown, whole?: WholeIteration): Promise<StepResult>
}

/** Of an iterable: begins an iteration, and pulls. The function is missing where that was all. */
export type Open = (credit: number, whole?: WholeIteration) => Promise<readonly [step: Step | undefined, first: Batch]>

/** The most that is asked for at once. */
export const MOST_CREDIT = 64
