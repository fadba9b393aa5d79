/**
 * How two threads that share nothing but a worker, its parent or a port come to a link of their own.
 *
 *   asker → server   { flatshare: 'ask' }              do you serve?
 *   server → asker   { flatshare: 'serving' }          said when it begins to, and when asked
 *   asker → server   { flatshare: 'connect', packet }  the port of the link, and the apartment's name
 *   server → asker   { flatshare: 'failed', … }        it could not begin
 *
 * and over that port, from the server, HELLO with what it serves.
 *
 * Whichever begins first, one of the first two messages finds the other side listening, so nothing needs
 * to be repeated; nothing that must not get lost (a port) is sent before the other side has said that it
 * listens. Other messages of the endpoint are left alone.
 */
import { FlatshareError, marshal, type Packet, unmarshal } from '@flatshare/core'
import {
  abortReason,
  checkedTimeout,
  type Endpoint,
  endThread,
  isPort,
  listenTo,
  nameThread,
  type Port,
  parentEndpoint,
  reportsWorkerExit,
  timeoutError,
  timerDelay,
} from '@flatshare/core/internal'
import { flushLinks, portLink } from './link.js'
import type { Directory } from './messages.js'
import { Peer, whenAllAnswered } from './peer.js'
import { addServed, directory, servesAnything } from './serve-table.js'

/** A link that stands, and what the other thread serves. */
export interface Connected {
  readonly peer: Peer
  readonly serves: Directory
}

export interface ConnectSettings {
  /** The other thread is an apartment of this one's: the link lasts as long as it does, and may end it. */
  readonly apartment: boolean
  /** What an apartment shall be called. */
  readonly name?: string | undefined
  /** Milliseconds. */
  readonly startTimeout: number
  readonly signal?: AbortSignal | undefined
  /** What errors call the other side. */
  readonly what: string
}

interface Invitation {
  readonly port: Port
  readonly name: string | undefined
  readonly apartment: boolean
}

type DoorMessage =
  | { flatshare: 'ask' }
  | { flatshare: 'serving' }
  | { flatshare: 'connect'; packet: Packet<Invitation> }
  | { flatshare: 'failed'; message: string; packet?: Packet<unknown> }

interface Waiting {
  readonly settings: ConnectSettings
  invited: boolean
  resolve(connected: Connected): void
  reject(error: unknown): void
}

const doors = new WeakMap<Endpoint, Door>()

/** What is said beside the users' own messages on a worker, its parent or a port. */
export class Door {
  readonly #waiting = new Set<Waiting>()
  readonly #peers = new Set<Peer>()
  readonly #stop: () => void
  #serves = false
  #ended = false
  /** The error that ends the other thread, as far as it was seen. */
  cause: unknown

  static of(endpoint: Endpoint): Door {
    let door = doors.get(endpoint)
    if (!door) doors.set(endpoint, (door = new Door(endpoint)))
    return door
  }

  private constructor(readonly endpoint: Endpoint) {
    this.#stop = listenTo(
      endpoint,
      (message) => this.#receive(message as DoorMessage),
      () => this.end(),
    )
  }

  /** Says that this thread serves, and goes on listening for who asks. */
  serve(): void {
    this.#serves = true
    this.endpoint.postMessage({ flatshare: 'serving' })
  }

  /** Says why this thread can't serve. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const [packet, transferList] = marshal(error)
    this.endpoint.postMessage({ flatshare: 'failed', message, packet }, transferList)
  }

  async connect(settings: ConnectSettings): Promise<Connected> {
    const { signal, what } = settings
    const startTimeout = checkedTimeout(settings.startTimeout, 'startTimeout')
    if (signal?.aborted) throw abortReason(signal)
    if (this.#ended) throw new FlatshareError(`${what} has ended.`, this.#because())
    return new Promise((resolve, reject) => {
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', aborted)
          this.#waiting.delete(waiting)
          then(value)
          this.#rest()
        }
      const waiting: Waiting = { settings, invited: false, resolve: settle(resolve), reject: settle(reject) }
      const aborted = () => waiting.reject(abortReason(signal!))
      const timer = setTimeout(() => {
        const cause = timeoutError(`No answer within ${startTimeout} ms.`)
        const message = `${what} has not begun to serve within ${startTimeout} ms: does its module call serve()?`
        waiting.reject(new FlatshareError(message, { cause }))
      }, timerDelay(startTimeout))
      signal?.addEventListener('abort', aborted, { once: true })
      this.#waiting.add(waiting)
      this.endpoint.postMessage({ flatshare: 'ask' })
    })
  }

  /** The other thread could not start. */
  failed(error: unknown): void {
    this.cause = error
    const message = error instanceof Error ? error.message : String(error)
    for (const { reject, settings } of [...this.#waiting]) {
      reject(new FlatshareError(`${settings.what} did not start: ${message}`, { cause: error }))
    }
  }

  /** The other thread has ended. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    // The calls first: their errors say more than that a connect failed.
    for (const peer of this.#peers) peer.end(this.cause)
    for (const { reject, settings } of [...this.#waiting]) {
      reject(new FlatshareError(`${settings.what} ended before it began to serve.`, this.#because()))
    }
    this.#stop()
  }

  #because(): ErrorOptions | undefined {
    return this.cause === undefined ? undefined : { cause: this.cause }
  }

  /** Stops listening where that would keep this thread alive for nothing. */
  #rest(): void {
    if (!isPort(this.endpoint) || this.#serves || this.#waiting.size > 0 || this.#ended) return
    this.#stop()
    doors.delete(this.endpoint)
  }

  #receive(message: DoorMessage): void {
    if (typeof message !== 'object' || message === null) return
    switch (message.flatshare) {
      case 'ask':
        if (servesAnything()) this.serve()
        break
      case 'serving':
        for (const waiting of this.#waiting) this.#invite(waiting)
        break
      case 'connect':
        this.#accept(message.packet)
        break
      case 'failed':
        this.failed(message.packet ? unmarshal(message.packet) : new FlatshareError(message.message))
    }
  }

  #invite(waiting: Waiting): void {
    if (waiting.invited) return
    waiting.invited = true
    const { apartment, name } = waiting.settings
    const { port1, port2 } = new MessageChannel()
    const isWorker = !isPort(this.endpoint) && this.endpoint !== parentEndpoint()
    const peer = new Peer(portLink(port1), { transient: !apartment, watched: isWorker && reportsWorkerExit })
    peer.hello()
    peer.onHello = (serves) => {
      if (serves) waiting.resolve({ peer, serves })
    }
    peer.onGone(() => {
      this.#peers.delete(peer)
      waiting.reject(new FlatshareError(`${waiting.settings.what} ended before it began to serve.`, this.#because()))
    })
    this.#peers.add(peer)
    const [packet, transferList] = marshal<Invitation>({ port: port2, name, apartment })
    this.endpoint.postMessage({ flatshare: 'connect', packet }, [...transferList, port2])
  }

  #accept(packet: Packet<Invitation>): void {
    let invitation: Invitation
    try {
      invitation = unmarshal(packet)
    } catch (error) {
      // Nothing of this thread's can be marshaled now: it has other shared memory.
      this.endpoint.postMessage({ flatshare: 'failed', message: String((error as Error).message) })
      return
    }
    const { port, name, apartment } = invitation
    if (name !== undefined) nameThread(name)
    const peer = new Peer(portLink(port))
    if (apartment)
      peer.onCloseAsked = () =>
        whenAllAnswered(() => {
          flushLinks()
          endThread()
        })
    peer.hello(directory())
  }
}

/**
 * Says what other threads may use of this one by name: classes, of which they create objects that live
 * here; functions; objects, which they use by reference. Whoever opened this thread as an apartment, or
 * connects to it, gets proxies of them.
 *
 * In a worker it answers the thread that started it, and keeps the worker alive. `endpoint` names another
 * to answer: on the main thread a worker that shall call it, or a message port. Served again, names are
 * added. A class needs no decorator to be served; error classes served here arrive elsewhere as themselves
 * where they are registered (`registerError`).
 *
 * It begins to receive the endpoint's messages: attach a listener of your own in the same turn, before
 * or after, or early messages of yours pass by it.
 *
 * @example
 * serve({ Mailbox, resize, config })
 */
export function serve(exposed: Readonly<Record<string, unknown>>, endpoint?: Endpoint): void {
  if (typeof exposed !== 'object' || exposed === null) {
    throw new TypeError('serve takes an object, what other threads may use by its name: serve({ Mailbox, resize }).')
  }
  if (endpoint !== undefined && typeof endpoint?.postMessage !== 'function') {
    throw new TypeError('serve answers a worker, the parent of a worker, or a message port.')
  }
  addServed(exposed)
  const at = endpoint ?? parentEndpoint()
  if (at) Door.of(at).serve()
}
