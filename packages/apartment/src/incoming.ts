/**
 * One direction of a link between two threads, at the reading end of its ring.
 *
 * Records are received in the order in which they were written, also where one's receipt blocks and so receives the
 * next. A value is decoded in place, once, while its message is received; its room is given back after that. A value whose
 * decoding may run code of users is copied out first: that code may block, and need the room.
 *
 *   reading   the next record is taken
 *   stuck     a PORT record was taken, and the port's message is not there yet: nothing is taken before it
 */
import { announce, type CallId, clock, ReceivedShapes, spin, type ThreadId, u8 } from '@flatshare/core/internal'
import { inBlock } from './in-block.js'
import type { LinkReceiver } from './link.js'
import { ANSWER, CALL, FAILURE, type Message } from './messages.js'
import { lookBegan } from './pump.js'
import { RingReader } from './ring.js'
import { noteArrival, noteCall } from './spinning.js'
import { MESSAGE, NAME, PORT, RUNS_CODE, readHead, valueAt } from './wire.js'

/** What stands in a message's place for its value while that is still encoded. */
export class EncodedValue {
  /** Addresses; the value was decoded if there is none. */
  start = 0
  end = 0

  constructor(readonly incoming: Incoming) {}

  /** The value: once. */
  decode(): unknown {
    return this.incoming.decode()
  }
}

/** Where the messages of the port are. */
export interface PortMessages {
  /** Receives the next one; false where it isn't there. */
  receiveFromPort(): boolean
}

export class Incoming {
  readonly #ring: RingReader
  readonly #names: string[] = []
  readonly #options: { from: ThreadId; shapes: ReceivedShapes }
  readonly #value = new EncodedValue(this)
  #stuck = false
  /** Whether an answer has come in this turn. */
  #answered = false
  /** Whether the record that the ring gave last has still to be received. */
  #held = false
  /** Whether this thread blocks while it receives, and so knows of no look of its event loop's. */
  #blocked = false
  /** When the next record came, if this thread has spun for it; else 0. */
  #came = 0
  /** Whether records were quickly served lately. */
  isQuick = true
  /** When this thread looked that found the last record; 0 where it has sent something since. */
  arrivedAt = 0

  constructor(
    readonly name: number,
    readonly from: ThreadId,
    readonly receiver: LinkReceiver,
    readonly port: PortMessages,
  ) {
    this.#ring = new RingReader(name)
    this.#options = { from, shapes: new ReceivedShapes() }
  }

  /** Whether the next message is one of the port that hasn't come. */
  get stuck(): boolean {
    return this.#stuck
  }

  /** Microtasks have run since this thread received last. */
  beginTurn(): void {
    this.#answered = false
  }

  /**
   * Receives what has come, so many records at most; says how many.
   *
   * A call that comes behind an answer waits until the microtasks have run in which the code goes on that had awaited
   * it; not where `blocked`.
   */
  receive(most: number, blocked = false): number {
    const ring = this.#ring
    this.#blocked = blocked
    let received = 0
    while (received < most) {
      if (this.#stuck) {
        if (!this.port.receiveFromPort()) break
        received++
        continue
      }
      if (!this.#held && !ring.next()) break
      const kind = ring.kind & ~RUNS_CODE
      this.#held = kind === CALL && this.#answered && !blocked
      if (this.#held) break
      if (kind === ANSWER || kind === FAILURE) this.#answered = true
      received++
      if (ring.kind === kind) this.#take(kind, ring.start, ring.start + ring.bytes)
      else this.#takeApart(kind, ring.start, ring.bytes)
    }
    if (received > 0 && !this.#held) this.#release()
    return received
  }

  /** Receives a record that came another way, after all of the ring. */
  receiveApart(kind: number, bytes: Uint8Array): void {
    inBlock(bytes.length, (block) => {
      u8.set(bytes, block)
      this.#take(kind & ~RUNS_CODE, block, block + bytes.length)
    })
  }

  /** Receives a record whose room is to be given back meanwhile. */
  #takeApart(kind: number, start: number, bytes: number): void {
    inBlock(bytes, (block) => {
      u8.copyWithin(block, start, start + bytes)
      this.#release()
      this.#take(kind, block, block + bytes)
    })
  }

  /** The port's message that the ring waited for is being received. */
  goOn(): void {
    this.#stuck = false
  }

  /** Whether the next record is there, and is the answer to that call. */
  hasAnswer(id: CallId): boolean {
    return !this.#stuck && !this.#held && this.#ring.isNext(ANSWER, id)
  }

  /** Waits for the next record, or for anything else that is announced, as core's `spin` does. */
  spin(seen: number, now: number, milliseconds: number, goOn: () => boolean): number {
    if (this.#stuck) return spin(seen, now, milliseconds, goOn)
    this.#came = spin(seen, now, milliseconds, goOn, this.#ring.tailWord, this.#ring.tailSeen)
    return this.#came
  }

  /** How soon the other thread sends something after something has come to it: milliseconds, as it says. */
  get pace(): number {
    return this.#ring.pace
  }

  #take(kind: number, start: number, end: number): void {
    noteArrival()
    this.arrivedAt = this.#blocked ? this.#came || clock() : lookBegan
    this.#came = 0
    if (kind === PORT) {
      this.#stuck = true
      return
    }
    if (kind === MESSAGE) this.receiver.receive(this.#decode(start, end) as Message)
    else if (kind === NAME) this.#names.push(this.#decode(start, end) as string)
    else {
      if (kind === CALL) noteCall(this)
      const value = this.#value
      const message = readHead(kind, start, this.#names, value)
      const at = valueAt
      value.start = at
      value.end = end
      this.receiver.receive(message)
      // Nobody wanted it.
      if (value.start === at) {
        value.start = 0
        this.receiver.releaseEncoded(at, end, this.#options)
      }
    }
  }

  decode(): unknown {
    const value = this.#value
    const { start } = value
    value.start = 0
    return this.#decode(start, value.end)
  }

  #decode(start: number, end: number): unknown {
    return this.receiver.decode(start, end, this.#options)
  }

  #release(): void {
    if (this.#ring.release()) announce(this.from)
  }
}
