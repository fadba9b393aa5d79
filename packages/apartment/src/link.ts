/** The way between two threads. Proxies and stubs know nothing else of it, so that others can take its place. */
import {
  beforePark,
  holdOpen,
  listen,
  onOwnExit,
  type PackedGraph,
  type Port,
  posted,
  postedToSomebody,
  readsPortsNow,
  receiveNow,
  releaseReferences,
  type ThreadId,
} from '@flatshare/core/internal'
import { CALL, type CarryingMessage, carriedAt, LOST, type Message } from './messages.js'

export interface Link {
  /** Whether `drain` receives anything: not where a thread can't read its messages while it blocks. */
  readonly drains: boolean
  /** Begins to receive. Messages that came before are kept until then. */
  start(receiver: LinkReceiver): void
  /**
   * Sends, now or at the end of this turn, and at the latest before this thread blocks; messages arrive in order.
   *
   * @throws DataCloneError when the message can't cross; then nothing was sent.
   */
  send(message: Message, transferList?: any[]): void
  /**
   * As `send`, with a value in the message's empty places.
   *
   * @throws NotMarshalableError or DataCloneError when it can't cross; then nothing was sent, and the message is as it was.
   */
  carry(message: CarryingMessage, value: unknown): void
  /** Receives now what has already come. From inside a message's receipt too: it goes on with the next one. */
  drain(): void
  /**
   * Whether this end keeps its thread's event loop alive: until it is told otherwise, also where the link breaks
   * before, as the end of the other thread may be told later than that.
   */
  hold(hold: boolean): void
  /** Closes it; the other end learns that this one is gone. */
  close(): void
}

/** Who has an end of a link. */
export interface LinkReceiver {
  /** The thread at the other end, 0 while that isn't known: it is woken where it blocks. */
  readonly threadId: ThreadId
  receive(message: Message): void
  /** Packs a value for the other thread; what must be transferred with it is added to the list. */
  pack(value: unknown, transferList: any[]): PackedGraph
  /** The other end has closed, or its thread has ended. */
  closed(): void
  /** A message came that can't be read here. */
  lost(): void
}

/** What surely can be cloned, and doesn't change meanwhile, so that a message of it may wait for its turn. */
function isPlain(message: Message): boolean {
  // The arrays in these were made for them; any other is somebody's own.
  const ownArrays = message[0] === CALL || message[0] === LOST
  for (const x of message as readonly unknown[]) {
    if (typeof x !== 'object' || x === null) {
      if (typeof x === 'function' || typeof x === 'symbol') return false
    } else if (
      !ownArrays ||
      !Array.isArray(x) ||
      !x.every((y) => typeof y !== 'object' && typeof y !== 'function' && typeof y !== 'symbol')
    )
      return false
  }
  return true
}

/** How many messages go together. None comes with more: walking a sparse array costs more than sending it. */
const LONGEST_BATCH = 0xffff

/** Packs the value that a message carries for structured clone, and sends it. */
export function sendPacked(
  message: CarryingMessage,
  value: unknown,
  receiver: LinkReceiver,
  send: (message: Message, transferList: any[]) => void,
): void {
  const transferList: any[] = []
  const graph = receiver.pack(value, transferList)
  const filled = message as unknown[]
  const at = carriedAt(message)
  filled[at] = graph.value
  filled[at + 1] = graph.refs
  try {
    send(message, transferList)
  } catch (error) {
    filled[at] = filled[at + 1] = undefined
    if (graph.refs) releaseReferences(graph.refs)
    throw error
  }
}

/** Links with messages that wait for the end of the turn. */
const unsent = new Set<() => void>()

/** Sends now what waits for the end of the turn. */
export function flushLinks(): void {
  for (const flush of unsent) flush()
}
onOwnExit(flushLinks)
// Who waits for it would wait for what this thread blocks on, too.
beforePark(flushLinks)

/** The last that is said on a port, as a thread that blocks doesn't hear that it closes. */
const CLOSED = null

/**
 * A link over a message port. Messages of plain values that are sent in one turn go together, as an array
 * of messages, at its end: a post costs more than what is in it. Any other message goes at once, after
 * those that wait.
 *
 * Messages are received one after the other, in order, even if one's receipt blocks and so receives the next.
 */
export function portLink(port: Port): Link {
  let receiver: LinkReceiver | undefined
  // Nothing may be asked of a closed port: Node 20 crashes when one is read.
  let closed = false
  let waiting: Message[] = []
  /** Came together, and not received yet. */
  let incoming: Message[] = []
  let next = 0
  let letGo: (() => void) | undefined

  const post = (message: unknown, transferList?: any[]) => {
    port.postMessage(message, transferList)
    const thread = receiver?.threadId
    if (thread) posted(thread)
    else postedToSomebody()
  }
  const flush = () => {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    unsent.delete(flush)
    if (!closed) post(batch.length === 1 ? batch[0] : batch)
  }
  const receiveAll = () => {
    while (next < incoming.length) receiver!.receive(incoming[next++]!)
    if (next === 0) return
    incoming = []
    next = 0
  }
  const gone = () => {
    closed = true
    receiver!.closed()
  }
  const unpack = (message: Message | Message[] | typeof CLOSED) => {
    if (message === CLOSED) receiver!.closed()
    else if (!Array.isArray(message)) return
    else if (!Array.isArray(message[0])) incoming.push(message as Message)
    else if (message.length > LONGEST_BATCH) return
    else for (const one of message as Message[]) incoming.push(one)
    receiveAll()
  }

  const send = (message: Message, transferList?: any[]) => {
    if (!isPlain(message)) {
      flush()
      post(message, transferList)
      return
    }
    if (waiting.push(message) > 1) {
      if (waiting.length === LONGEST_BATCH) flush()
      return
    }
    unsent.add(flush)
    queueMicrotask(flush)
  }

  return {
    drains: readsPortsNow,
    start(by) {
      receiver = by
      listen(port, unpack, gone, () => receiver!.lost())
    },
    send,
    carry(message, value) {
      sendPacked(message, value, receiver!, send)
    },
    drain() {
      receiveAll()
      while (!closed) {
        let came: { message: unknown } | undefined
        try {
          came = receiveNow(port)
        } catch {
          receiver?.lost()
          continue
        }
        if (!came) return
        unpack(came.message as Message)
      }
    },
    hold(hold) {
      // Not by the port: that closes with the other thread, before this one has heard why.
      if (hold) letGo ??= holdOpen()
      else {
        letGo?.()
        letGo = undefined
      }
    },
    close() {
      flush()
      if (!closed) post(CLOSED)
      closed = true
      port.close()
    },
  }
}
