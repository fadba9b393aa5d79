/** Writes calls and answers as bytes; the format is in `plain-record.ts`. */
import { type CallMessage, type CarryingMessage, messages } from '@flatshare/apartment/internal'
import { BareEncoder } from './bare-value.js'
import {
  double,
  HAS_DEADLINE,
  hows,
  IS_BARE,
  itsBytes,
  MOST_ARGUMENTS,
  MOST_NAMES,
  MOST_UNITS,
  NAME,
  ONE_WAY,
  SMALL_INTEGERS,
  Tag,
} from './plain-record.js'
import type { Translation } from './translate.js'

const { CALL, ANSWER } = messages

/** No head takes more, and no value. */
const ROOM = MOST_UNITS + 16
const SLAB_BYTES = 1 << 17
/** Below so many bytes a loop copies faster than a call of the runtime. */
const SHORT_COPY = 256

/** Writes messages one behind the other, and takes its memory in large pieces. */
export class PlainWriter {
  #slab = Buffer.allocUnsafeSlow(0)
  #start = 0
  #at = 0
  readonly #names = new Map<string, number>()
  #lastName: string | undefined
  #lastNumber = 0
  readonly #bare = new BareEncoder()

  constructor(
    /** What comes before the first of them. */
    readonly head: number,
    /** How many bytes are taken at once at most. */
    readonly most: number,
    /** Takes what was written, as there is no room for more. */
    readonly onFull: () => void,
  ) {}

  /** How many bytes wait to be taken; the head alone is none. */
  get length(): number {
    const length = this.#at - this.#start
    return length > 1 ? length : 0
  }

  /** Takes what was written: its head, and messages. */
  take(): Uint8Array {
    const bytes = this.#slab.subarray(this.#start, this.#at)
    this.#start = this.#at
    return bytes
  }

  /**
   * Writes a message with its value; false where it must go another way.
   *
   * @throws what getters of users throw; then nothing was written.
   */
  write(message: CarryingMessage, value: unknown, translation: Translation): boolean {
    if (message[0] === CALL) return this.#writeCall(message, value as readonly unknown[])
    return message[0] === ANSWER && this.#writeAnswer(translation.theirs(message[1]), value)
  }

  #writeAnswer(call: number, value: unknown): boolean {
    if (!this.#reserve(ROOM)) return false
    const before = this.#at
    this.#slab[this.#at++] = ANSWER
    this.#writeNumber(call)
    if (this.#writeValue(value)) return true
    this.#at = before
    return this.#writeBare(value, false, () => {
      this.#slab[this.#at++] = ANSWER
      this.#writeNumber(call)
      this.#slab[this.#at++] = Tag.bare
    })
  }

  #writeCall([, object, how, member, path, , , deadline, , , oneWay]: CallMessage, args: readonly unknown[]): boolean {
    const { length } = args
    // A call that another one led to has the numbers of both, which may be of any process.
    if (path.length > 1 || object < 0 || !this.#reserve((Math.min(length, MOST_ARGUMENTS) + 2) * ROOM)) return false
    const name = member === this.#lastName ? this.#lastNumber : this.#numberOf(member)
    if (name < 0) return false
    const before = this.#at
    const id = path[0]!
    const flags = hows.indexOf(how) | (deadline === undefined ? 0 : HAS_DEADLINE) | (oneWay ? ONE_WAY : 0)
    this.#writeCallHead(flags, object, name, id, deadline)
    if (length <= MOST_ARGUMENTS) {
      this.#slab[this.#at++] = length
      let i = 0
      while (i < length && this.#writeValue(args[i])) i++
      if (i === length) return true
    }
    this.#at = before
    return this.#writeBare(args, true, () => this.#writeCallHead(flags | IS_BARE, object, name, id, deadline))
  }

  #writeCallHead(flags: number, object: number, name: number, id: number, deadline: number | undefined): void {
    this.#slab[this.#at++] = CALL
    this.#slab[this.#at++] = flags
    this.#writeNumber(object)
    this.#writeNumber(name)
    this.#writeNumber(id)
    if (deadline !== undefined) this.#writeDouble(Math.max(0, deadline - Date.now()))
  }

  /** Writes a message with its value as bytes. To encode that may run code of users, which may send: so that is first. */
  #writeBare(value: unknown, list: boolean, writeHead: () => void): boolean {
    return this.#bare.encode(value, list, this.most - ROOM, (memory, start, end) => {
      const length = end - start
      this.#reserve(length + ROOM)
      writeHead()
      const slab = this.#slab
      slab.writeUInt32LE(length, this.#at)
      const at = this.#at + 4
      if (length < SHORT_COPY) for (let i = 0; i < length; i++) slab[at + i] = memory[start + i]!
      else slab.set(memory.subarray(start, end), at)
      this.#at = at + length
    })
  }

  /** Makes room for so many bytes, and writes the head before the first; false where there is none for so many. */
  #reserve(bytes: number): boolean {
    if (bytes >= this.most) return false
    let length = this.#at - this.#start
    if (length + bytes > this.most) {
      this.onFull()
      length = 0
    }
    if (length > 0) return true
    if (this.#slab.length - this.#at < this.most) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, this.most))
      this.#start = this.#at = 0
    }
    this.#slab[this.#at++] = this.head
    return true
  }

  #numberOf(member: string): number {
    let number = this.#names.get(member)
    if (number === undefined) {
      const { size } = this.#names
      const before = this.#at
      this.#slab[this.#at++] = NAME
      if (size === MOST_NAMES || !this.#writeValue(member)) {
        this.#at = before
        return -1
      }
      this.#names.set(member, (number = size))
    }
    this.#lastName = member
    this.#lastNumber = number
    return number
  }

  /** A whole number from 0 on. */
  #writeNumber(x: number): void {
    const slab = this.#slab
    let at = this.#at
    for (; x > 0x7fff_ffff; x = Math.floor(x / 0x80)) slab[at++] = (x % 0x80) | 0x80
    for (; x > 0x7f; x >>>= 7) slab[at++] = (x & 0x7f) | 0x80
    slab[at++] = x
    this.#at = at
  }

  #writeDouble(x: number): void {
    double[0] = x
    for (let i = 0; i < 8; i++) this.#slab[this.#at++] = itsBytes[i]!
  }

  #writeValue(x: unknown): boolean {
    const slab = this.#slab
    if (typeof x === 'number') {
      if ((x | 0) !== x || (x === 0 && 1 / x < 0)) {
        slab[this.#at++] = Tag.double
        this.#writeDouble(x)
      } else if (x >= 0 && x < SMALL_INTEGERS) slab[this.#at++] = Tag.small + x
      else {
        slab[this.#at++] = x < 0 ? Tag.negative : Tag.integer
        this.#writeNumber(x < 0 ? ~x : x)
      }
      return true
    }
    if (typeof x === 'string') return this.#writeText(x)
    if (x === undefined) slab[this.#at++] = Tag.undefined
    else if (x === null) slab[this.#at++] = Tag.null
    else if (typeof x === 'boolean') slab[this.#at++] = x ? Tag.true : Tag.false
    else return false
    return true
  }

  #writeText(x: string): boolean {
    const { length } = x
    if (length > MOST_UNITS) return false
    const slab = this.#slab
    let at = this.#at
    slab[at++] = Tag.text
    slab[at++] = length
    for (let i = 0; i < length; i++) {
      const unit = x.charCodeAt(i)
      if (unit > 0xff) return false
      slab[at++] = unit
    }
    this.#at = at
    return true
  }
}
