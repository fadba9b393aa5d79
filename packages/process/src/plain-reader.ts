/** Reads calls and answers from bytes, which anybody may have sent; the format is in `plain-record.ts`. */
import { type AnswerMessage, type CallMessage, messages } from '@flatshare/apartment/internal'
import { NotMarshalableError } from '@flatshare/core'
import { keepOne } from '@flatshare/core/internal'
import { BareDecoder } from './bare-value.js'
import { isDeeperThan } from './codec.js'
import {
  double,
  HAS_DEADLINE,
  HOW_BITS,
  hows,
  IS_BARE,
  itsBytes,
  MOST_ARGUMENTS,
  MOST_NAMES,
  NAME,
  ONE_WAY,
  Tag,
} from './plain-record.js'
import { Nonsense, type Translation } from './translate.js'

const { CALL, ANSWER } = messages

/** What messages of a link refer to that came before them. */
export class PlainContext {
  readonly #names: string[] = []
  readonly #bare = new BareDecoder()

  /** @param maxDepth how deep a value may be nested. */
  constructor(readonly maxDepth: number | undefined) {}

  add(name: unknown): void {
    if (typeof name !== 'string' || this.#names.length === MOST_NAMES) throw new Nonsense('A name came that is none')
    this.#names.push(name)
  }

  get(number: number): string {
    const name = this.#names[number]
    if (name === undefined) throw new Nonsense('A call came without its name')
    return name
  }

  /** The value of these bytes; `TOO_DEEP` where it is nested too deeply for the stack as it is now. */
  value(bytes: Uint8Array, start: number, end: number): unknown {
    let value: unknown
    try {
      value = this.#bare.decode(bytes, start, end)
    } catch (error) {
      if (error instanceof NotMarshalableError) return TOO_DEEP
      throw new Nonsense('A value can not be read', { cause: error })
    }
    // Its message is a level, too.
    if (this.maxDepth !== undefined && isDeeperThan(value, this.maxDepth - 1)) {
      throw new Nonsense(`A message is nested more than ${this.maxDepth} deep`)
    }
    return value
  }
}

// The one of each kind that was read last.
const call: CallMessage = [CALL, 0, 'call', '', [], undefined, undefined, undefined, undefined, undefined, false]
const answer: AnswerMessage = [ANSWER, 0, undefined, undefined]

/** Stands for a message that is nested too deeply for the stack as it is now. */
export const TOO_DEEP = Symbol('too deep')

/** Reads messages, each when it is to be received. */
export class PlainReader {
  #bytes: Buffer
  #at: number

  constructor(
    bytes: Uint8Array,
    start: number,
    readonly end: number,
  ) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = start
  }

  /** Goes on to read after the bytes that it was given are gone. */
  keep(): void {
    this.#bytes = Buffer.from(this.#bytes)
  }

  /**
   * The next message, as it is meant here; undefined at the end. It stays as it is until the next one is read, by any
   * reader.
   *
   * @throws Nonsense
   */
  next(context: PlainContext, translation: Translation): CallMessage | AnswerMessage | typeof TOO_DEEP | undefined {
    while (this.#at < this.end) {
      const kind = this.#readByte()
      if (kind === CALL) return this.#readCall(context, translation)
      if (kind === ANSWER) {
        answer[1] = this.#readNumber()
        answer[2] = this.#readValue(context)
        return answer[2] === TOO_DEEP ? TOO_DEEP : answer
      }
      if (kind !== NAME) throw new Nonsense('A message came of a kind that is none')
      context.add(this.#readValue(context))
    }
    return undefined
  }

  #readCall(context: PlainContext, translation: Translation): CallMessage | typeof TOO_DEEP {
    const flags = this.#readByte()
    const how = hows[flags & HOW_BITS]
    if (how === undefined) throw new Nonsense('A call came of a kind that is none')
    call[1] = this.#readNumber()
    call[2] = how
    call[3] = context.get(this.#readNumber())
    const number = this.#readNumber()
    call[7] = flags & HAS_DEADLINE ? Date.now() + this.#readDouble() : undefined
    call[10] = (flags & ONE_WAY) !== 0
    const args = flags & IS_BARE ? this.#readBare(context) : this.#readArguments(context)
    if (args === TOO_DEEP) return TOO_DEEP
    if (!Array.isArray(args)) throw new Nonsense('A call came without its arguments')
    call[4] = [translation.callIn(number)]
    call[5] = args
    return call
  }

  #readArguments(context: PlainContext): unknown[] {
    const length = this.#readByte()
    if (length > MOST_ARGUMENTS) throw new Nonsense('A call came with too many arguments')
    // A list that grows takes room for many more.
    if (length === 1) return [this.#readValue(context)]
    if (length === 2) return [this.#readValue(context), this.#readValue(context)]
    const args: unknown[] = []
    for (let i = 0; i < length; i++) args.push(this.#readValue(context))
    return args
  }

  #readBare(context: PlainContext): unknown {
    const start = this.#at + 4
    if (start > this.end) throw new Nonsense('A message ends too early')
    this.#at = start + this.#bytes.readUInt32LE(this.#at)
    if (this.#at > this.end) throw new Nonsense('A message ends too early')
    return context.value(this.#bytes, start, this.#at)
  }

  #readByte(): number {
    if (this.#at >= this.end) throw new Nonsense('A message ends too early')
    return this.#bytes[this.#at++]!
  }

  #readNumber(): number {
    let byte = this.#readByte()
    if (byte < 0x80) return byte
    let number = byte & 0x7f
    let unit = 0x80
    do {
      byte = this.#readByte()
      number += (byte & 0x7f) * unit
      unit *= 0x80
    } while (byte > 0x7f && unit < 2 ** 56)
    if (!Number.isSafeInteger(number)) throw new Nonsense('A number came that is none')
    return number
  }

  #readDouble(): number {
    for (let i = 0; i < 8; i++) itsBytes[i] = this.#readByte()
    return double[0]!
  }

  #readValue(context: PlainContext): unknown {
    const tag = this.#readByte()
    if (tag >= Tag.small) return tag - Tag.small
    switch (tag) {
      case Tag.undefined:
        return undefined
      case Tag.null:
        return null
      case Tag.false:
        return false
      case Tag.true:
        return true
      case Tag.integer:
        return this.#readNumber()
      case Tag.negative:
        return -1 - this.#readNumber()
      case Tag.double:
        return this.#readDouble()
      case Tag.text: {
        const length = this.#readByte()
        const start = this.#at
        this.#at += length
        if (this.#at > this.end) throw new Nonsense('A message ends too early')
        return this.#bytes.toString('latin1', start, this.#at)
      }
      case Tag.bare:
        return this.#readBare(context)
      default:
        throw new Nonsense('A value came that is none')
    }
  }
}

keepOne(new PlainReader(new Uint8Array(0), 0, 0))
