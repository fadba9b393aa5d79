/**
 * The link from a JavaScript object to its block of shared memory: the block's address, in a private
 * field that is stamped on the object.
 *
 * A constructor that returns another object lets a subclass define its private fields on that object.
 * So the address needs no property that anybody could see, copy or forge, works on objects whose class
 * we don't own, and reads as fast as a property. (Measured: with a WeakMap a whole locked method costs
 * three times as much; a symbol defined non-enumerable costs five times as much to make.)
 *
 *   address   meaning
 *   0         no block yet
 *   -1        disposed of on this thread
 *   < -1      a block at -address, and fields that may not have moved there yet: still under construction
 *   > 0       the block's address; all state is there
 */
import type { Attachment } from './heap/hold.js'
import { noteOwnThread, own } from './own-thread.js'

/** What the next stamp says. A field that an initialiser sets is always a number to engines; one set later may be unset. */
let nextAddress = 0
let nextAttachment: Attachment | undefined

class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is the trick.
    return object
  }
}

type AddressReader = (object: object) => number

class Stamp extends Given {
  #address = nextAddress
  #attachment = nextAttachment

  static read(object: object): number {
    return #address in object ? object.#address : 0
  }

  static write(object: object, address: number): void {
    if (#address in object) object.#address = address
  }

  /** All the same, and each a text of its own: see `addressReader`. */
  static readonly readers: readonly AddressReader[] = [
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
    (object) => (#address in object ? object.#address : 0),
  ]

  static attachment(object: object): Attachment | undefined {
    return #attachment in object ? object.#attachment : undefined
  }
}

/** The address of an object that was disposed of on this thread. */
export const DISPOSED = -1

/** See the table above. */
export const addressOf = Stamp.read

let readersGiven = 0

/**
 * `addressOf` for the members of one class. Engines keep, by a function's text, what kinds of objects it has seen, and
 * past four kinds they stop to specialise it: then the read of a field takes six times as long. So each class has a text
 * of its own; from the 17th on they share.
 */
export function addressReader(): AddressReader {
  return Stamp.readers[readersGiven++ % Stamp.readers.length]!
}

/** Links an object to its block, once. */
export function stamp(object: object, address: number, attachment: Attachment): void {
  if (own.id === 0) noteOwnThread()
  nextAddress = address
  nextAttachment = attachment
  new Stamp(object)
  nextAttachment = undefined
}

/** From now on all state is in the block. */
export function settleAddress(object: object): void {
  Stamp.write(object, Math.abs(Stamp.read(object)))
}

/** The object is no handle any more. */
export function unlink(object: object): void {
  Stamp.write(object, DISPOSED)
}

/** What this thread's handle stands for; undefined before it has a block. */
export const attachmentOf = Stamp.attachment

const attached = new WeakSet<object>()

/** Notes an object that was made without its constructor, over the state of one made on another thread. */
export function noteAttached(object: object): void {
  attached.add(object)
}

export function isAttached(object: object): boolean {
  return attached.has(object)
}
