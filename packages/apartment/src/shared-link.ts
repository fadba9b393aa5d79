/**
 * A link over shared memory, where there is some: in each direction a ring (`ring.ts`), and beside them a message port
 * for what only that can carry.
 *
 * Each direction begins on the port. Its sender makes a ring once it knows who is at the other end, and says so:
 *
 *   on the port    …  [RING, name, thread]  then only what a PORT record of the ring stands for, and the end
 *   in the ring    records (`wire.ts`)
 *
 *   by port   → by ring   the sender has said RING; the receiver reads the ring when it hears so
 *   by ring   → ended     what the ring had no room for goes in [REST, records]; then the port closes
 *
 * Invariants: a message is received after all that were sent before it, whichever way each came. A message of
 * the port is posted before its record is published, so whoever reads the record finds it, or waits for it alone.
 *
 * Two threads may have many links, one for each proxy that was handed on. Those few that are used much get rings, so
 * that the memory of a pair of threads is bounded.
 */
import { FlatshareError, NotMarshalableError } from '@flatshare/core'
import {
  type CallId,
  clock,
  hasDoorbell,
  isAlive,
  moves,
  ownThreadId,
  type Port,
  readsPortsNow,
  spin,
  type ThreadId,
} from '@flatshare/core/internal'
import { answeredInPlace, beginsInPlace } from './first-call.js'
import { Incoming } from './incoming.js'
import { type Link, type LinkReceiver, sendPacked } from './link.js'
import type { LinkKind } from './link-kind.js'
import { CALL, type CarryingMessage, type Message, REST, RING } from './messages.js'
import { Outgoing, type QueuedRecord } from './outgoing.js'
import { PortLink } from './port-link.js'
import { attachLink, detachLink, notePublished, schedulePump } from './pump.js'
import { createRing, inheritRing, leaveRing, READER, type RingEnd, WRITER } from './ring.js'
import { forgetOther, noteCall, noteOther } from './spinning.js'

/** Of so many messages on, a link that came with a handed-on reference is worth a ring. */
const MESSAGES_BEFORE_RING = 16
/** Of this thread, to any one other. */
const MOST_RINGS = 4

/** More records than there are. A small integer, for the engine. */
const ALL = 0x3fff_ffff

/** A message of the port that couldn't be read. */
const UNREADABLE = Symbol('unreadable')

const ringsTo = new Map<ThreadId, number>()

export class SharedLink implements Link {
  readonly apart = false
  readonly #port: PortLink
  #receiver!: LinkReceiver
  #outgoing: Outgoing | undefined
  #incoming: Incoming | undefined
  /** Came by the port; their records haven't been reached. */
  readonly #arrived: unknown[] = []
  #sent: number
  #fromPort = 0
  #closed = false

  /** @param used whether the link is for more than a reference that was handed on. */
  constructor(
    port: Port,
    readonly kind: LinkKind,
    used: boolean,
  ) {
    this.#port = new PortLink(port)
    this.#sent = used ? MESSAGES_BEFORE_RING : 0
  }

  get drains(): boolean {
    return readsPortsNow || (this.#incoming !== undefined && this.#upgrade())
  }

  get stuck(): boolean {
    return !readsPortsNow && this.#incoming?.stuck === true && this.#arrived.length === 0
  }

  start(receiver: LinkReceiver): void {
    this.#receiver = receiver
    attachLink(this)
    this.#port.start({
      get threadId() {
        return receiver.threadId
      },
      receive: (message) => this.#receive(message),
      closed: () => receiver.closed(),
      lost: () => this.#receive(UNREADABLE),
    })
  }

  /** Where the other thread blocks, it may not hear of a ring any more: so early. */
  met(): void {
    if (this.#sent >= MESSAGES_BEFORE_RING) this.#upgrade()
  }

  get threadId(): ThreadId {
    return this.#receiver.threadId
  }

  /** Whether an answer may come soon. */
  get awaits(): boolean {
    return this.#receiver.awaits
  }

  get pace(): number {
    return this.#incoming?.pace ?? 0
  }

  spin(seen: number, now: number, milliseconds: number, goOn: () => boolean): number {
    const incoming = this.#incoming
    return incoming ? incoming.spin(seen, now, milliseconds, goOn) : spin(seen, now, milliseconds, goOn)
  }

  get incoming(): Incoming | undefined {
    return this.#incoming
  }

  // ── sending ───────────────────────────────────────────────────────────────────────────────

  send(message: Message, transferList?: any[]): void {
    const outgoing = this.#outgoing ?? this.#upgraded()
    if (!outgoing) this.#port.send(message, transferList)
    else if (transferList || !outgoing.send(message, this.#receiver)) this.#post(message, transferList)
  }

  carry(message: CarryingMessage, value: unknown): void {
    const outgoing = this.#outgoing ?? this.#upgraded()
    if (!outgoing) {
      sendPacked(message, value, this.#receiver, (packed, transferList) => this.#port.send(packed, transferList), true)
      return
    }
    try {
      // What moves is for the port, as encoding would find out.
      if (!movesOpenly(message, value) && outgoing.carry(message, value, this.#receiver)) return
    } catch (error) {
      // Structured clone knows more kinds of values, and says what is wrong with any other.
      if (!(error instanceof NotMarshalableError)) throw error
    }
    sendPacked(message, value, this.#receiver, (packed, transferList) => this.#post(packed, transferList), true)
  }

  #post(message: Message, transferList?: any[]): void {
    this.#outgoing!.sendPort(() => this.#port.post(message, transferList))
  }

  #upgraded(): Outgoing | undefined {
    return ++this.#sent > MESSAGES_BEFORE_RING && this.#upgrade() ? this.#outgoing : undefined
  }

  #upgrade(): boolean {
    if (this.#outgoing) return true
    const { threadId } = this.#receiver
    if (this.kind === 'port' || !hasDoorbell || this.#closed || threadId === 0 || threadId === ownThreadId())
      return false
    const rings = ringsTo.get(threadId) ?? 0
    if (rings >= MOST_RINGS || !isAlive(threadId)) return false
    let name: number
    try {
      name = createRing(threadId)
    } catch (error) {
      if (!(error instanceof FlatshareError)) throw error
      // Memory is full: the port needs none.
      return false
    }
    ringsTo.set(threadId, rings + 1)
    if (rings === 0) noteOther(threadId)
    this.#port.post([RING, name, ownThreadId()])
    this.#outgoing = new Outgoing(name, threadId, {
      published: (to, woken) => this.#published(to, woken),
      finish: () => this.#sendRest(),
    })
    return true
  }

  #published(to: ThreadId, woken: boolean): void {
    const incoming = this.#incoming
    let since = Number.POSITIVE_INFINITY
    if (incoming && incoming.arrivedAt !== 0) {
      since = clock() - incoming.arrivedAt
      this.#outgoing!.notePace(since)
      incoming.arrivedAt = 0
    }
    notePublished(to, woken, since)
  }

  /** What the ring has no room for goes by the port: it is the last. */
  #sendRest(): void {
    const rest = this.#outgoing!.takeQueue()
    if (rest.length > 0) this.#port.post([REST, rest])
  }

  waitsInPlace(): boolean {
    const incoming = this.#incoming
    return incoming !== undefined && this.#outgoing !== undefined && beginsInPlace(incoming)
  }

  waitInPlace(id: CallId): boolean {
    return this.#incoming !== undefined && answeredInPlace(this.#incoming, id)
  }

  whenTaken(callback: () => void): void {
    if (this.#outgoing) this.#outgoing.whenTaken(callback)
    else callback()
  }

  // ── receiving ─────────────────────────────────────────────────────────────────────────────

  /** The port brought a message. */
  #receive(message: unknown): void {
    this.#fromPort++
    if (Array.isArray(message) && message[0] === RING) this.#attach(message)
    else if (Array.isArray(message) && message[0] === REST) this.#receiveRest(message[1])
    else if (this.#incoming) {
      this.#arrived.push(message)
      schedulePump()
    } else this.#deliver(message)
  }

  #deliver(message: unknown): void {
    if (message === UNREADABLE) {
      this.#receiver.lost()
      return
    }
    if (Array.isArray(message) && message[0] === CALL) noteCall(this.#incoming)
    this.#receiver.receiveUnchecked(message)
  }

  #attach([, name, thread]: unknown[]): void {
    const { threadId } = this.#receiver
    if (this.#incoming || typeof name !== 'number' || typeof thread !== 'number') return
    if (threadId !== 0 && threadId !== thread) return
    try {
      this.#incoming = new Incoming(name, thread, this.#receiver, this)
    } catch (error) {
      // Whoever has the port may send anything.
      if (!(error instanceof FlatshareError)) throw error
      return
    }
    schedulePump()
  }

  #receiveRest(rest: unknown): void {
    const incoming = this.#incoming
    if (!incoming || !Array.isArray(rest)) return
    while (incoming.receive(ALL, true) > 0);
    for (const { kind, bytes } of rest as QueuedRecord[]) {
      incoming.receiveApart(kind, bytes)
      incoming.receive(1, true)
    }
  }

  receiveFromPort(): boolean {
    if (this.#arrived.length === 0) this.#port.receiveOne()
    if (this.#arrived.length === 0) return false
    // Before its receipt, which may block and receive the next.
    this.#incoming!.goOn()
    this.#deliver(this.#arrived.shift())
    return true
  }

  look(): void {
    if (this.#incoming) this.#incoming.receive(ALL, true)
    else this.#port.drain()
  }

  drain(): void {
    for (;;) {
      const received = this.#incoming?.receive(ALL, true) ?? 0
      const before = this.#fromPort
      this.#port.drain()
      if (received === 0 && this.#fromPort === before) return
    }
  }

  hold(hold: boolean): void {
    this.#port.hold(hold)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    detachLink(this)
    if (this.#outgoing) {
      this.#sendRest()
      const { to, name } = this.#outgoing
      leave(to, name, WRITER)
      const rings = ringsTo.get(to)! - 1
      if (rings > 0) ringsTo.set(to, rings)
      else {
        ringsTo.delete(to)
        forgetOther(to)
      }
      this.#outgoing = undefined
    }
    if (this.#incoming) leave(this.#incoming.from, this.#incoming.name, READER)
    this.#incoming = undefined
    this.#port.close()
  }
}

/** Whether it is, or an argument is, what moves: as most that does. */
function movesOpenly(message: CarryingMessage, value: unknown): boolean {
  return message[0] === CALL ? (value as unknown[]).some(moves) : moves(value)
}

function leave(other: ThreadId, ring: number, end: RingEnd): void {
  if (isAlive(other)) leaveRing(ring, end)
  else inheritRing(ring)
}

/** A link over a port, and over shared memory where that is wanted; `used` for more than a reference that was handed on. */
export function linkOver(port: Port, kind: LinkKind, used = true): Link {
  return new SharedLink(port, kind, used)
}
