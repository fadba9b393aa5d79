/**
 * The key lists that one direction of a link has carried. One that comes for the second time is sent with a number, and
 * from then on by that number, as long as there are free ones; others are sent each time.
 *
 * Values are decoded in the order in which their encodings ended, which isn't that in which they began: user code (a
 * getter, a codec, a marshaler) may send by the same link while an encoding is in progress. So
 *
 *   - a list is `pending` from its number until the encoding that sends it has ended: until then only that encoding may
 *     refer to it, and others send its keys without a number;
 *   - an encoding that fails, is given up or takes a part back gives the numbers of its pending lists back.
 *
 * Invariant: a number that isn't pending has been defined by an encoding that ended earlier than any that refers to it.
 * The receiver has no order to keep: definitions name their numbers.
 */
import type { KeyList } from './codec-keys.js'

const MOST_SHAPES = 4096

interface Sent {
  readonly number: number
  /** The encoding that defines it; undefined once that has ended. */
  pending: object | undefined
}

let lastStamp = 0

/**
 * The key lists that one direction of a link has sent. What `encodeInto` gave with it must be sent, in the order in which
 * it was given, or nothing any more.
 */
export class SentShapes {
  /** What lists that the receiver knows are stamped with: other than that of any encoding. */
  readonly stamp = --lastStamp
  readonly #sent = new Map<KeyList, Sent>()
  readonly #free: number[] = []
  /** The list that the first object of the last value had. */
  guess: KeyList | undefined
  /** Whether the last value has references in it, whose decoding may run code of users. */
  hadReferences = false

  /** How many have a number. */
  get count(): number {
    return this.#sent.size
  }

  /** The number by which `encoding` may refer to the list; −1 where it may not. */
  numberOf(list: KeyList, encoding: object): number {
    const sent = this.#sent.get(list)
    if (!sent || (sent.pending && sent.pending !== encoding)) return -1
    if (!sent.pending) {
      list.stamp = this.stamp
      list.number = sent.number
    }
    return sent.number
  }

  /** Gives a list that has none a number; −1 where it can't have one. */
  define(list: KeyList, encoding: object): number {
    if (this.#sent.has(list) || this.#sent.size >= MOST_SHAPES) return -1
    const number = this.#free.pop() ?? this.#sent.size
    this.#sent.set(list, { number, pending: encoding })
    return number
  }

  /** The encoding that defines it has ended. */
  confirm(list: KeyList): void {
    this.#sent.get(list)!.pending = undefined
  }

  /** The encoding that defines it won't send it. */
  cancel(list: KeyList): void {
    this.#free.push(this.#sent.get(list)!.number)
    this.#sent.delete(list)
  }
}

/** The key lists that have come by one direction of a link. */
export class ReceivedShapes {
  readonly #lists: Array<KeyList | undefined> = []

  list(number: number): KeyList | undefined {
    return this.#lists[number]
  }

  /** False for a number that no list has. */
  learn(number: number, list: KeyList): boolean {
    if (number >= MOST_SHAPES) return false
    // An array of that length has no need of holes, which make it slower.
    while (this.#lists.length <= number) this.#lists.push(undefined)
    this.#lists[number] = list
    return true
  }
}
