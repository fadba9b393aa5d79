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
import type { Hold } from './heap/hold.js'

class Given {
  constructor(object: object) {
    // biome-ignore lint/correctness/noConstructorReturn: this is the trick.
    return object
  }
}

class Stamp extends Given {
  #address: number
  #hold: Hold

  constructor(object: object, address: number, hold: Hold) {
    super(object)
    this.#address = address
    this.#hold = hold
  }

  static read(object: object): number {
    return #address in object ? object.#address : 0
  }

  static write(object: object, address: number): void {
    if (#address in object) object.#address = address
  }

  static hold(object: object): Hold | undefined {
    return #hold in object ? object.#hold : undefined
  }
}

/** The address of an object that was disposed of on this thread. */
export const DISPOSED = -1

/** See the table above. */
export const addressOf = Stamp.read

/** Links an object to its block, once. */
export function stamp(object: object, address: number, hold: Hold): void {
  new Stamp(object, address, hold)
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
export const holdOf = Stamp.hold

const attached = new WeakSet<object>()

/** Notes an object that was made without its constructor, over the state of one made on another thread. */
export function noteAttached(object: object): void {
  attached.add(object)
}

export function isAttached(object: object): boolean {
  return attached.has(object)
}
