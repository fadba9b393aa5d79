/**
 * One direction of a link between two threads, at the writing end of its ring.
 *
 * A record is written in place: its head, and then its value, which the codec encodes there. What doesn't fit in what
 * is left of the ring goes on in private bytes and waits in a queue, as does all that is sent after it, until the
 * reader has made room: nothing is lost, nothing overtakes. What no record can hold is for the port.
 *
 *   direct   the queue is empty   records go to the ring
 *   full     the queue isn't      records go to the queue; the reader announces room, and the queue moves on
 *
 * Encoding runs code of users: getters, codecs. Where that sends by the same ring, the outer value moves out of the way
 * to private bytes (`evictEncoding`), and its record follows the inner one.
 *
 * Invariant: what was committed is published at the latest before this thread sleeps, blocks or ends.
 */
import {
  announce,
  evictEncoding,
  isAwake,
  type LinkEncodeOptions,
  SentShapes,
  type ThreadId,
  views,
} from '@flatshare/core/internal'
import { inBlock } from './in-block.js'
import type { LinkReceiver } from './link.js'
import { CALL, type CarryingMessage, type Message } from './messages.js'
import { MAX_RECORD, RingWriter } from './ring.js'
import { forgetUnsent, noteUnsent } from './unsent.js'
import { headBytes, MESSAGE, MOST_NAMES, NAME, PORT, RUNS_CODE, writeHead } from './wire.js'

const memory = views

/** Room that most records find enough; where a value needs more, it is known how much. */
const USUAL_ROOM = 256
/** So many records are shown together at most: the other thread begins with the first ones meanwhile. */
const LONGEST_BATCH = 8
/** Milliseconds. Nothing counts for more, so that one late message is soon forgotten. */
const SLOWEST = 1
/** A longer name is sent each time. */
const LONGEST_NAME = 256

/** A record that waits for room. */
export interface QueuedRecord {
  readonly kind: number
  readonly bytes: Uint8Array
}

/** Calls that led to a call, beyond which its head is too long for a ring. */
const LONGEST_PATH = 100

/** Who hears of what an end of a ring does. */
export interface OutgoingOwner {
  /** Something was published; `woken` says whether the other thread had to be woken. */
  published(to: ThreadId, woken: boolean): void
  /** This thread ends: what waits for room must go another way. */
  finish(): void
}

export class Outgoing {
  readonly #ring: RingWriter
  readonly #queue: QueuedRecord[] = []
  #first = 0
  readonly #names = new Map<string, number>()
  #lastName = ''
  #lastNumber = -1
  readonly #options: LinkEncodeOptions
  /** For arguments. */
  readonly #listOptions: LinkEncodeOptions
  #drained: Array<() => void> = []
  #noted = false
  /** Committed and not published. */
  #batch = 0
  /** Where in the ring a value is being encoded, 0 for none. */
  #open = 0
  /** A moving average that forgets quickly. */
  #pace = 0

  constructor(
    readonly name: number,
    readonly to: ThreadId,
    readonly owner: OutgoingOwner,
  ) {
    this.#ring = new RingWriter(name)
    // Of one shape, for the engine.
    this.#options = { to, transferList: [], shapes: new SentShapes(), list: false }
    this.#listOptions = { ...this.#options, list: true }
  }

  /** Sends a message without a value; false where no record can hold it. */
  send(message: Message, receiver: LinkReceiver): boolean {
    return this.#record(MESSAGE, undefined, 0, message, receiver)
  }

  /** Sends a message and its value; false where no record can hold them. */
  carry(message: CarryingMessage, value: unknown, receiver: LinkReceiver): boolean {
    let name = 0
    if (message[0] === CALL) {
      const member = message[3]
      if (message[4].length > LONGEST_PATH) return false
      name = member === this.#lastName ? this.#lastNumber : this.#numberOf(member, receiver)
      if (name < 0) return false
    }
    return this.#record(message[0], message, name, value, receiver)
  }

  /**
   * Has a message go by the port, in its turn. Its record follows the message: posting runs code of users, which may
   * send by this ring, and block.
   */
  sendPort(post: () => void): void {
    const isFar = !isAwake(this.to)
    post()
    const start = this.#queued ? 0 : this.#reserve(0)
    if (start === 0) {
      this.#enqueue(PORT, new Uint8Array(0))
      return
    }
    this.#ring.commit(PORT, 0)
    this.#batch = 0
    this.#ring.publish()
    this.owner.published(this.to, announce(this.to) || isFar)
  }

  #numberOf(member: string, receiver: LinkReceiver): number {
    let number = this.#names.get(member)
    if (number === undefined) {
      if (this.#names.size === MOST_NAMES || member.length > LONGEST_NAME) return -1
      this.#record(NAME, undefined, 0, member, receiver)
      number = this.#names.size
      this.#names.set(member, number)
    }
    this.#lastName = member
    this.#lastNumber = number
    return number
  }

  /** As the ring's own, where nobody else stands. */
  #reserve(atLeast: number): number {
    if (this.#open !== 0) evictEncoding(this.#open)
    return this.#ring.reserve(atLeast)
  }

  get #queued(): boolean {
    return this.#queue.length > 0
  }

  #record(
    kind: number,
    message: CarryingMessage | undefined,
    name: number,
    value: unknown,
    receiver: LinkReceiver,
  ): boolean {
    const ring = this.#ring
    let start = 0
    let room = 0
    if (this.#queue.length === 0) {
      start = this.#reserve(USUAL_ROOM + (message === undefined ? 0 : headBytes(message)))
      room = ring.room
    }
    if (start === 0) return this.#recordLater(kind, message, name, value, receiver)
    const at = message === undefined ? start : writeHead(start, message, name)
    const outer = this.#open
    let end: number | Uint8Array | undefined
    this.#open = at
    try {
      end = receiver.encode(
        value,
        at,
        start + room,
        MAX_RECORD - (at - start),
        kind === CALL ? this.#listOptions : this.#options,
      )
    } finally {
      this.#open = outer
    }
    if (typeof end !== 'number') return this.#recordBytes(kind, message, name, end)
    ring.commit(this.#kindNow(kind), end - start)
    this.#committed()
    return true
  }

  /** Of the record of what was encoded last. */
  #kindNow(kind: number): number {
    return this.#options.shapes.hadReferences ? kind | RUNS_CODE : kind
  }

  /** The value is encoded, into no ring. */
  #recordLater(
    kind: number,
    message: CarryingMessage | undefined,
    name: number,
    value: unknown,
    receiver: LinkReceiver,
  ): boolean {
    const most = MAX_RECORD - (message === undefined ? 0 : headBytes(message))
    const options = kind === CALL ? this.#listOptions : this.#options
    const bytes = inBlock(MAX_RECORD, (at) => {
      const end = receiver.encode(value, at, at + most, most, options)
      return typeof end === 'number' ? memory.u8.slice(at, end) : end
    })
    return this.#recordBytes(kind, message, name, bytes)
  }

  /** The value is there as bytes. */
  #recordBytes(
    kind: number,
    message: CarryingMessage | undefined,
    name: number,
    bytes: Uint8Array | undefined,
  ): boolean {
    if (bytes === undefined) return false
    const length = bytes.length + (message === undefined ? 0 : headBytes(message))
    const write = (start: number) => {
      memory.u8.set(bytes, message === undefined ? start : writeHead(start, message, name))
    }
    const start = this.#queued ? 0 : this.#reserve(length)
    if (start === 0) {
      const record = inBlock(length, (block) => {
        write(block)
        return memory.u8.slice(block, block + length)
      })
      this.#enqueue(this.#kindNow(kind), record)
    } else {
      write(start)
      this.#ring.commit(this.#kindNow(kind), length)
      this.#committed()
    }
    return true
  }

  #enqueue(kind: number, bytes: Uint8Array): void {
    this.#queue.push({ kind, bytes })
    if (this.#queue.length > 1) return
    this.#noted = true
    noteUnsent(this)
    // The reader is asked for room.
    this.moveOn()
  }

  #committed(): void {
    if (++this.#batch === LONGEST_BATCH) this.#publish()
    if (this.#noted) return
    this.#noted = true
    noteUnsent(this)
    // To be woken takes the other thread longer than what is still to be sent in this turn.
    if (!isAwake(this.to)) this.#publish()
  }

  /** Shows the other thread what was written, and moves the queue on. */
  flush(): void {
    if (this.#queued) this.moveOn()
    else {
      this.#noted = false
      forgetUnsent(this)
      this.#publish()
    }
  }

  /** What waits for room must not be lost with this thread. */
  flushForEver(): void {
    this.flush()
    if (this.#queued) this.owner.finish()
  }

  #publish(): void {
    this.#batch = 0
    if (this.#ring.publish()) this.owner.published(this.to, announce(this.to))
  }

  /** This thread has sent something so many milliseconds after something had come. */
  notePace(milliseconds: number): void {
    this.#pace += (Math.min(milliseconds, SLOWEST) - this.#pace) / 4
    this.#ring.tellPace(this.#pace)
  }

  /** Moves as much of the queue into the ring as there is room for. */
  moveOn(): void {
    const queue = this.#queue
    for (;;) {
      while (this.#first < queue.length && this.#write(queue[this.#first]!)) this.#first++
      this.#publish()
      if (this.#first === queue.length || this.#ring.wantRoom()) break
    }
    if (this.#first === queue.length || this.#first > 1024) {
      queue.splice(0, this.#first)
      this.#first = 0
    }
    if (queue.length > 0) return
    this.#noted = false
    forgetUnsent(this)
    for (const callback of this.#drained.splice(0)) callback()
  }

  #write({ kind, bytes }: QueuedRecord): boolean {
    const start = this.#reserve(bytes.length)
    if (start === 0) return false
    memory.u8.set(bytes, start)
    this.#ring.commit(kind, bytes.length)
    return true
  }

  /** Calls back once nothing waits for room. */
  whenTaken(callback: () => void): void {
    if (this.#queued) this.#drained.push(callback)
    else callback()
  }

  /** Publishes what is in the ring, and takes what waits for room: nothing is written to this ring any more. */
  takeQueue(): QueuedRecord[] {
    const rest = this.#queue.splice(0).slice(this.#first)
    this.#first = 0
    this.flush()
    for (const callback of this.#drained.splice(0)) callback()
    return rest
  }
}
