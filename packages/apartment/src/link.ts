/** The way between two threads. Proxies and stubs know nothing else of it, so that others can take its place. */
import { holdPort, listen, type Port, receiveNow } from '@flatshare/core/internal'
import type { Message } from './messages.js'

export interface Link {
  /** Begins to receive. Messages that came before are kept until then. */
  start(onMessage: (message: Message) => void, onGone: () => void): void
  /**
   * Sends; messages arrive in order.
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

/** A link over a message port. */
export function portLink(port: Port): Link {
  let receive: (message: Message) => void = () => {}
  // Nothing may be asked of a closed port: Node 20 crashes when one is read.
  let closed = false
  return {
    start(onMessage, onGone) {
      receive = onMessage
      listen(port, onMessage, () => {
        closed = true
        onGone()
      })
    },
    send: (message, transferList) => port.postMessage(message, transferList),
    drain() {
      for (let next = closed ? undefined : receiveNow(port); next; next = closed ? undefined : receiveNow(port)) receive(next.message as Message)
    },
    hold(hold) {
      if (!closed) holdPort(port, hold)
    },
    close() {
      closed = true
      port.close()
    },
  }
}
