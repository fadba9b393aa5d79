/** The way between two threads. Proxies and stubs know nothing else of it, so that others can take its place. */
import {
  type CallId,
  type LinkDecodeOptions,
  type LinkEncodeOptions,
  type PackedGraph,
  releaseReferences,
  type ThreadId,
} from '@flatshare/core/internal'
import { copyLarge } from './large-bytes.js'
import type { LinkKind } from './link-kind.js'
import { CALL, type CallMessage, type CarryingMessage, carriedAt, type Message } from './messages.js'

export interface Link {
  readonly kind: LinkKind
  /**
   * Whether the two threads share no memory, as those of two processes. No port crosses it then, and what would lie in
   * shared memory doesn't either: it goes by reference, or not at all.
   */
  readonly apart: boolean
  /** Whether a thread that blocks receives what comes. */
  readonly drains: boolean
  /** Nothing wakes a thread that blocks when something comes: it must look again and again. */
  readonly polled?: boolean
  /** Begins to receive. Messages that came before are kept until then. */
  start(receiver: LinkReceiver): void
  /** The receiver knows by now which thread is at the other end. */
  met(): void
  /**
   * Sends, now or at the end of this turn, and at the latest before this thread blocks; messages arrive in order.
   *
   * @throws DataCloneError when the message can't cross; then nothing was sent.
   */
  send(message: Message, transferList?: any[]): void
  /**
   * As `send`, with a value in the message's empty places. The message is as it was after that, and isn't kept.
   *
   * @throws NotMarshalableError or DataCloneError when it can't cross; then nothing was sent.
   */
  carry(message: CarryingMessage, value: unknown): void
  /** Calls back once all that was sent so far is on its way: at once, unless the other thread is slow to read. */
  whenTaken(callback: () => void): void
  /** Receives now what has already come. From inside a message's receipt too: it goes on with the next one. */
  drain(): void
  /** This thread is at rest and about to make a call: says whether it shall wait for the answer in place (`first-call.ts`). */
  waitsInPlace?(): boolean
  /** Waits in place for the answer to that call, for an instant; says whether it has come, though it isn't received yet. */
  waitInPlace?(id: CallId): boolean
  /** As `drain`, of what has come by shared memory alone: the cheap first look. */
  look(): void
  /** As core's `spin`; it looks first at what changes when a message comes. A link without shared memory has none. */
  spin?(seen: number, now: number, milliseconds: number, goOn: () => boolean): number
  /** How soon the other thread sends something after something has come to it, in milliseconds: 0 where nobody knows. */
  readonly pace: number
  /** What keeps a blocked thread from receiving more, though it has come: only its event loop can read it. */
  readonly stuck: boolean
  /**
   * Whether this end keeps its thread's event loop alive: until it is told otherwise, also where the link breaks
   * before, as the end of the other thread may be told later than that.
   */
  hold(hold: boolean): void
  /** Of threads apart: a call that came by this link, with this path, has ended here. */
  served?(path: readonly CallId[]): void
  /** Closes it; the other end learns that this one is gone. */
  close(): void
}

/** Who has an end of a link. */
export interface LinkReceiver {
  /** The thread at the other end, 0 while that isn't known: it is woken where it blocks. */
  readonly threadId: ThreadId
  /** Whether an answer is awaited from there, and somebody waits for it. */
  readonly awaits: boolean
  receive(message: Message): void
  /** As `receive`, from whoever has the other end of a port: it may be no message at all. */
  receiveUnchecked(message: unknown): void
  /** Packs a value for the other thread; what must be transferred with it is added to the list. */
  pack(value: unknown, transferList: any[]): PackedGraph
  /** As core's `encodeInto`, for the other thread. */
  encode(
    value: unknown,
    start: number,
    end: number,
    most: number,
    options: LinkEncodeOptions,
  ): number | Uint8Array | undefined
  /** As core's `decodeFromArena`, from the other thread. */
  decode(start: number, end: number, options: LinkDecodeOptions): unknown
  /** As core's `releaseInArena`, from the other thread. */
  releaseEncoded(start: number, end: number, options: LinkDecodeOptions): void
  /** The other end has closed, or its thread has ended; by this error, where that is known. */
  closed(cause?: unknown): void
  /** A message came that can't be read here. */
  lost(): void
}

/** The message without the places at its end that it doesn't use. */
function copyOf(message: CarryingMessage): Message {
  if (message[0] !== CALL || message[10]) return message.slice() as Message
  return message.slice(0, message[8] === undefined ? 8 : 10) as CallMessage
}

/**
 * Packs the value that a message carries for structured clone, and sends it as a copy of that message.
 *
 * @param byPort whether it goes to another thread by a port, to which large bytes move better than they are copied.
 */
export function sendPacked(
  message: CarryingMessage,
  value: unknown,
  receiver: LinkReceiver,
  send: (message: Message, transferList: any[]) => void,
  byPort = false,
): void {
  const transferList: any[] = []
  let graph = receiver.pack(value, transferList)
  if (byPort && !graph.refs && transferList.length === 0) {
    graph = { value: copyLarge(graph.value, message[0] === CALL, transferList) }
  }
  const filled = copyOf(message)
  const at = carriedAt(message)
  filled[at] = graph.value
  filled[at + 1] = graph.refs
  try {
    send(filled, transferList)
  } catch (error) {
    if (graph.refs) releaseReferences(graph.refs)
    throw error
  }
}
