/**
 * Whether to wait awake once more, by how it went before.
 *
 * After some waits in vain, as where other programs want the cores, the next occasion is let pass, then two, four, …, until
 * one pays.
 */

/**
 * Milliseconds that a wait may take. A message that comes at all comes much sooner; but a system likes to put who was woken
 * on the waker's own core, and to leave both there while they sleep by turns. It takes it this long to see that two cores
 * are wanted. A collection of garbage is over by then, too.
 */
export const LONGEST_WAIT = 1
/** So many waits may be in vain before the next occasion is let pass, and how many are at most. */
const MOST_IN_VAIN = 3
const MOST_PASSED = 16

/** Whether to wait awake, by how it went before. */
export class Patience {
  /** Waits in vain, one after the other. */
  #inVain = 0
  /** Occasions to let pass still. */
  #toPass = 0
  #pays = false

  /** Whether the last wait paid: who was awaited is awake, too. */
  get pays(): boolean {
    return this.#pays
  }

  /** Whether this occasion is one to wait awake. */
  tries(): boolean {
    if (this.#toPass === 0) return true
    this.#toPass--
    return false
  }

  note(paid: boolean): void {
    this.#pays = paid
    this.#inVain = paid ? 0 : this.#inVain + 1
    this.#toPass = this.#inVain < MOST_IN_VAIN ? 0 : Math.min(MOST_PASSED, 2 ** (this.#inVain - MOST_IN_VAIN))
  }
}
