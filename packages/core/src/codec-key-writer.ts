/** Which key lists the receiver of an encoding knows, and the tokens by which an object names its keys. */
import { SMALL_OBJECTS, SMALL_SHAPES, Tag } from './codec-format.js'
import type { KeyList } from './codec-keys.js'
import type { SentShapes } from './codec-shapes.js'
import type { ByteWriter } from './codec-writer.js'

let lastStamp = 0

export class KeyWriter {
  /** Those of this value; for a link, those that this value is the first to send. */
  readonly #lists: KeyList[] = []
  /** What the link has sent; undefined for a value that is for no link. */
  #shapes: SentShapes | undefined
  /** What the lists are stamped with that the receiver knows: by this encoding, by this link. */
  #stamp = 0
  #linkStamp = 0

  constructor(readonly out: ByteWriter) {}

  begin(shapes: SentShapes | undefined): void {
    this.#shapes = shapes
    this.#stamp = ++lastStamp
    this.#linkStamp = shapes ? shapes.stamp : lastStamp
  }

  /** The value is complete: others may refer to its lists. */
  confirm(): void {
    for (const list of this.#lists) this.#shapes!.confirm(list)
  }

  get count(): number {
    return this.#lists.length
  }

  /** What was written of lists, from this one on, won't be sent. */
  takeBack(from: number): void {
    for (const list of this.#lists.splice(from)) {
      list.stamp = 0
      this.#shapes?.cancel(list)
    }
  }

  end(): void {
    if (this.#lists.length > 0) this.#lists.length = 0
    this.#shapes = undefined
  }

  /** What says which keys an object has; its values follow. */
  write(list: KeyList): void {
    if (list.stamp !== this.#linkStamp && list.stamp !== this.#stamp) this.#unknown(list)
    else if (this.#shapes === undefined) {
      this.out.byte(Tag.sameKeys)
      this.out.varint(list.number)
    } else this.#shape(list.number)
  }

  #shape(number: number): void {
    const { out } = this
    if (number < SMALL_SHAPES) out.byte(Tag.smallObject + 1 + number)
    else {
      out.byte(Tag.sameKeys)
      out.varint(number)
    }
  }

  #unknown(list: KeyList): void {
    const shapes = this.#shapes
    if (!shapes) {
      this.#define(list)
      return
    }
    const known = shapes.numberOf(list, this)
    if (known >= 0) this.#shape(known)
    else this.#defineShape(list, list.kept ? shapes.define(list, this) : -1)
  }

  #define(list: KeyList): void {
    const { out } = this
    const count = list.keys.length
    if (count < SMALL_OBJECTS) out.byte(Tag.smallObject + count)
    else {
      out.byte(Tag.object)
      out.varint(count)
    }
    out.keyList(list)
    list.stamp = this.#stamp
    list.number = this.#lists.push(list) - 1
  }

  #defineShape(list: KeyList, number: number): void {
    const { out } = this
    if (number >= 0) {
      list.stamp = this.#stamp
      list.number = number
      this.#lists.push(list)
    }
    out.byte(Tag.object)
    out.varint(number + 1)
    out.varint(list.keys.length)
    out.uint32(list.hash)
    out.bytes(list.lengths)
    out.string(list.joined)
  }
}
