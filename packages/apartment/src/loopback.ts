/**
 * A link from this thread to itself: calls by it are copied, queue and time out as those of other threads do.
 *
 * A message is cloned when it is sent and arrives in a microtask of its own, in order; `drain` delivers what waits
 * at once.
 */
import { ownThreadId, posted } from '@flatshare/core/internal'
import { type Link, type LinkReceiver, sendPacked } from './link.js'
import type { CarryingMessage, Message } from './messages.js'
import { Peer } from './peer.js'
import { proxyOf } from './proxy.js'
import { learn } from './remote-description.js'
import { stubFor } from './stub.js'

class Loopback implements Link {
  other!: Loopback
  readonly #inbox: Message[] = []
  readonly kind = 'port'
  readonly apart = false
  readonly drains = true
  readonly stuck = false
  readonly pace = 0
  #receiver!: LinkReceiver

  start(receiver: LinkReceiver): void {
    this.#receiver = receiver
  }

  send(message: Message, transferList: any[] = []): void {
    const { other } = this
    other.#inbox.push(structuredClone(message, { transfer: transferList }))
    // Where this thread blocks, its other end is to be looked at again.
    posted(ownThreadId())
    queueMicrotask(() => other.#next())
  }

  carry(message: CarryingMessage, value: unknown): void {
    sendPacked(message, value, this.#receiver, (filled, transferList) => this.send(filled, transferList))
  }

  #next(): void {
    const message = this.#inbox.shift()
    if (message) this.#receiver.receive(message)
  }

  drain(): void {
    while (this.#inbox.length > 0) this.#next()
  }

  met(): void {}

  whenTaken(callback: () => void): void {
    callback()
  }

  look(): void {
    this.drain()
  }

  hold(): void {}

  close(): void {}
}

let ends: readonly [near: Peer, far: Peer] | undefined

function loopback(): readonly [near: Peer, far: Peer] {
  if (!ends) {
    const [near, far] = [new Loopback(), new Loopback()]
    near.other = far
    far.other = near
    const settings = { thread: ownThreadId() }
    ends = [new Peer(near, settings), new Peer(far, settings)]
  }
  return ends
}

/** The link by which this thread calls its own objects. */
export function ownPeer(): Peer {
  return loopback()[0]
}

/** The proxy, on its own thread, of an object: its calls queue like anybody's. */
export function localProxy(object: object): object {
  const [near, far] = loopback()
  const stub = stubFor(object)
  far.count(stub)
  return proxyOf(near.threadId, stub.id, learn(near.threadId, stub.about()), near)
}
