/** A message port as one way between two threads, or as a part of another. */
import {
  holdOpen,
  listen,
  type Port,
  posted,
  postedToSomebody,
  receiveNow,
  type ThreadId,
} from '@flatshare/core/internal'
import { CALL, LOST } from './messages.js'
import { forgetUnsent, noteUnsent } from './unsent.js'

/** Who has an end of a port. */
export interface PortReceiver {
  /** The thread at the other end, 0 while that isn't known: it is woken where it blocks. */
  readonly threadId: ThreadId
  /** Whatever came: whoever has the other end may have sent anything. */
  receive(message: unknown): void
  /** The other end has closed, or its thread has ended. */
  closed(): void
  /** A message came that can't be read here. */
  lost(): void
}

/** What surely can be cloned, and doesn't change meanwhile, so that a message of it may wait for its turn. */
export function isPlain(message: readonly unknown[]): boolean {
  // The arrays in these were made for them; any other is somebody's own.
  const ownArrays = message[0] === CALL || message[0] === LOST
  for (const x of message) {
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

/** The last that is said on a port, as a thread that blocks doesn't hear that it closes. */
const CLOSED = null

/**
 * One end of a port. Messages of plain values that are sent in one turn go together, as an array of messages, at its
 * end: a post costs more than what is in it. Any other message goes at once, after those that wait.
 *
 * Messages are received one after the other, in order, even if one's receipt blocks and so receives the next.
 */
export class PortLink {
  readonly #port: Port
  #receiver: PortReceiver | undefined
  /** Nothing may be asked of a closed port: Node 20 crashes when one is read. */
  #closed = false
  #waiting: unknown[][] = []
  /** Came together, and not received yet. */
  #incoming: unknown[][] = []
  #next = 0
  #letGo: (() => void) | undefined

  constructor(port: Port) {
    this.#port = port
  }

  /** Begins to receive. Messages that came before are kept until then. */
  start(receiver: PortReceiver): void {
    this.#receiver = receiver
    const gone = () => {
      this.#closed = true
      receiver.closed()
    }
    listen(
      this.#port,
      (message) => this.#unpack(message),
      gone,
      () => receiver.lost(),
    )
  }

  /** @throws DataCloneError when the message can't cross; then nothing was sent. */
  send(message: unknown[], transferList?: any[]): void {
    if (!isPlain(message)) {
      this.post(message, transferList)
      return
    }
    if (this.#waiting.push(message) > 1) {
      if (this.#waiting.length === LONGEST_BATCH) this.flush()
      return
    }
    noteUnsent(this)
  }

  /** Sends now, after those that wait. */
  post(message: unknown, transferList?: any[]): void {
    this.flush()
    this.#post(message, transferList)
  }

  #post(message: unknown, transferList?: any[]): void {
    this.#port.postMessage(message, transferList)
    const thread = this.#receiver?.threadId
    if (thread) posted(thread)
    else postedToSomebody()
  }

  flush(): void {
    if (this.#waiting.length === 0) return
    const batch = this.#waiting
    this.#waiting = []
    forgetUnsent(this)
    if (!this.#closed) this.#post(batch.length === 1 ? batch[0] : batch)
  }

  #unpack(message: unknown): void {
    if (message === CLOSED) this.#receiver!.closed()
    else if (!Array.isArray(message)) return
    else if (!Array.isArray(message[0])) this.#incoming.push(message)
    else if (message.length > LONGEST_BATCH) return
    else for (const one of message as unknown[][]) this.#incoming.push(one)
    this.#receiveAll()
  }

  #receiveAll(): void {
    while (this.#next < this.#incoming.length) this.#receiver!.receive(this.#incoming[this.#next++])
    if (this.#next === 0) return
    this.#incoming = []
    this.#next = 0
  }

  /** Receives now what has already come, where a port can be read so; from inside a message's receipt too. */
  drain(): void {
    this.#receiveAll()
    while (this.receiveOne());
  }

  /** Receives the next message, if one has come. */
  receiveOne(): boolean {
    if (this.#closed) return false
    let came: { message: unknown } | undefined
    try {
      came = receiveNow(this.#port)
    } catch {
      this.#receiver?.lost()
      return true
    }
    if (!came) return false
    this.#unpack(came.message)
    return true
  }

  /** Whether this end keeps its thread's event loop alive. */
  hold(hold: boolean): void {
    // Not by the port: that closes with the other thread, before this one has heard why.
    if (hold) this.#letGo ??= holdOpen()
    else {
      this.#letGo?.()
      this.#letGo = undefined
    }
  }

  close(): void {
    this.flush()
    if (!this.#closed) this.#post(CLOSED)
    this.#closed = true
    this.#port.close()
  }
}
