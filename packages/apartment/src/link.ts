/** The way between two threads. Proxies and stubs know nothing else of it, so that others can take its place. */
import { holdPort, listen, onOwnExit, type Port, receiveNow } from '@flatshare/core/internal'
import type { Message } from './messages.js'

export interface Link {
  /** Begins to receive. Messages that came before are kept until then. `onLost`: one came that can't be read here. */
  start(onMessage: (message: Message) => void, onGone: () => void, onLost: () => void): void
  /**
   * Sends, now or at the end of this turn; messages arrive in order.
   *
   * @throws DataCloneError when the message can't cross; then nothing was sent.
   */
  send(message: Message, transferList?: any[]): void
  /** Receives now what has already come. */
  drain(): void
  /** Whether this end keeps its thread's event loop alive. */
  hold(hold: boolean): void
  /** Closes it; the other end learns that this one is gone. */
  close(): void
}

/** What surely can be cloned, so that a message of it may wait for its turn. */
function isPlain(message: Message): boolean {
  for (const x of message as readonly unknown[]) {
    if (typeof x !== 'object' || x === null) {
      if (typeof x === 'function' || typeof x === 'symbol') return false
    } else if (
      !Array.isArray(x) ||
      !x.every((y) => typeof y !== 'object' && typeof y !== 'function' && typeof y !== 'symbol')
    )
      return false
  }
  return true
}

const unsent = new Set<() => void>()

/** Sends now what waits for the end of the turn. */
export function flushLinks(): void {
  for (const flush of unsent) flush()
}
onOwnExit(flushLinks)

/**
 * A link over a message port. Messages of plain values that are sent in one turn go together, as an array
 * of messages, at its end: a post costs more than what is in it. Any other message goes at once, after
 * those that wait.
 */
export function portLink(port: Port): Link {
  let receive: (message: Message) => void = () => {}
  // Nothing may be asked of a closed port: Node 20 crashes when one is read.
  let closed = false
  let waiting: Message[] = []

  const flush = () => {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    unsent.delete(flush)
    if (!closed) port.postMessage(batch.length === 1 ? batch[0] : batch)
  }
  const unpack = (message: Message | Message[]) => {
    if (!Array.isArray(message)) return
    if (!Array.isArray(message[0])) receive(message as Message)
    else for (const one of message as Message[]) receive(one)
  }

  return {
    start(onMessage, onGone, onLost) {
      receive = onMessage
      const gone = () => {
        closed = true
        onGone()
      }
      listen(port, unpack, gone, onLost)
    },
    send(message, transferList) {
      if (!isPlain(message)) {
        flush()
        port.postMessage(message, transferList)
        return
      }
      if (waiting.push(message) > 1) return
      unsent.add(flush)
      queueMicrotask(flush)
    },
    drain() {
      while (!closed) {
        let next: { message: unknown } | undefined
        try {
          next = receiveNow(port)
        } catch {
          continue // it can't be read here; whoever drains ends all that is awaited
        }
        if (!next) return
        unpack(next.message as Message)
      }
    },
    hold(hold) {
      if (!closed) holdPort(port, hold)
    },
    close() {
      flush()
      closed = true
      port.close()
    },
  }
}
