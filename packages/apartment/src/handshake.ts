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
 * to be repeated; nothing that must not get lost (a port) is sent before the other side listens. A thread that runs
 * our own module (`host.ts`) listens from its start, so its opener connects at once, while that thread is still being
 * made; HELLO waits until it serves. Other messages of the endpoint are left alone.
 */
import { FlatshareError, marshal, type Packet, unmarshal } from '@flatshare/core'
import {
  abortReason,
  checkedTimeout,
  type Endpoint,
  endThread,
  hasEnded,
  isPort,
  listenTo,
  nameThread,
  observeWorkerError,
  ownThreadId,
  type Port,
  parentEndpoint,
  reportsWorkerExit,
  soon,
  type ThreadId,
  timeoutError,
  timerDelay,
} from '@flatshare/core/internal'
import { noteMet } from './introduce.js'
import { type LinkKind, setOwnLinkKind } from './link-kind.js'
import type { Directory } from './messages.js'
import { greetOverLinks } from './over-link.js'
import { Peer } from './peer.js'
import { whenAllAnswered } from './peers.js'
import { addServed, directory, servesAnything } from './serve-table.js'
import { linkOver } from './shared-link.js'
import { flushLinks } from './unsent.js'

/** A link that stands, and what the other thread serves. */
export interface Connected {
  readonly peer: Peer
  readonly serves: Directory
}

export interface ConnectSettings {
  /**
   * What the link is for. An apartment of this thread's: it lasts as long as that does, and may end it. One of somebody
   * else's: until this thread lets go. A visit: while either end has something left to do with it.
   */
  readonly link: 'own' | 'attached' | 'visit'
  /** What it is made of. */
  readonly over: LinkKind
  /** What an apartment shall be called. */
  readonly name?: string | undefined
  /** The other side listens, if not yet: what is sent to it now isn't lost. */
  readonly listens?: boolean
  /** Milliseconds. */
  readonly startTimeout: number
  readonly signal?: AbortSignal | undefined
  /** What errors call the other side. */
  readonly what: string
  /** Why it may not have begun to serve. */
  readonly hint?: string
}

interface Invitation {
  readonly port: Port
  readonly name: string | undefined
  readonly own: boolean
  readonly over: LinkKind
  /** Who asks. */
  readonly thread: ThreadId
}

type DoorMessage =
  | { flatshare: 'ask' }
  | { flatshare: 'serving' }
  | { flatshare: 'connect'; packet: Packet<Invitation> }
  | { flatshare: 'failed'; message: string; packet?: Packet<unknown> | undefined }

interface Waiting {
  readonly settings: ConnectSettings
  /** The end of the link that the other side was given, and what it got. */
  peer?: Peer
  packet?: Packet<Invitation>
  resolve(connected: Connected): void
  reject(error: unknown): void
}

const doors = new WeakMap<Endpoint, Door>()

/** What is said beside the users' own messages on a worker, its parent or a port. */
export class Door {
  readonly #waiting = new Set<Waiting>()
  readonly #peers = new Set<Peer>()
  readonly #stop: () => void
  /** The links of those who connected before this thread serves. */
  readonly #early: Peer[] = []
  #serves = false
  #ended = false
  #exitCode: number | undefined
  /** The error that ends the other thread, as far as it was seen. */
  cause: unknown

  static of(endpoint: Endpoint): Door {
    let door = doors.get(endpoint)
    if (!door) doors.set(endpoint, (door = new Door(endpoint)))
    return door
  }

  private constructor(readonly endpoint: Endpoint) {
    this.#ended = hasEnded(endpoint)
    const stopListening = listenTo(
      endpoint,
      (message) => this.#receive(message as DoorMessage),
      (code) => this.end(code),
    )
    // Whether an error is handled stays with whoever started the worker.
    const stopObserving = this.#isWorker ? observeWorkerError(endpoint, (error) => this.failed(error)) : undefined
    this.#stop = () => {
      stopListening()
      stopObserving?.()
    }
  }

  get #isWorker(): boolean {
    return !isPort(this.endpoint) && this.endpoint !== parentEndpoint()
  }

  /** Says that this thread serves, and goes on listening for who asks. */
  serve(): void {
    this.#serves = true
    // What the module that is running serves after this, they shall know as well.
    if (this.#early.length > 0) soon(() => this.greet())
    this.endpoint.postMessage({ flatshare: 'serving' })
  }

  /** Tells those who connected early what this thread serves. */
  greet(): void {
    for (const peer of this.#early.splice(0)) peer.hello(directory())
  }

  /** Says why this thread can't serve. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    let packed: [packet?: Packet<unknown>, transferList?: any[]] = []
    try {
      packed = marshal(error)
    } catch {
      // What the module threw can't cross: its text must do.
    }
    this.endpoint.postMessage({ flatshare: 'failed', message, packet: packed[0] }, packed[1] ?? [])
  }

  async connect(settings: ConnectSettings): Promise<Connected> {
    const { signal, what, hint = 'does its module call serve()?' } = settings
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
      const waiting: Waiting = {
        settings,
        resolve: settle(resolve),
        reject: settle((error) => {
          reject(error as Error)
          waiting.peer?.leave()
          waiting.packet?.[Symbol.dispose]()
        }),
      }
      const aborted = () => waiting.reject(abortReason(signal!))
      const timer = setTimeout(() => {
        const cause = timeoutError(`No answer within ${startTimeout} ms.`)
        waiting.reject(
          new FlatshareError(`${what} has not begun to serve within ${startTimeout} ms: ${hint}`, { cause }),
        )
      }, timerDelay(startTimeout))
      signal?.addEventListener('abort', aborted, { once: true })
      this.#waiting.add(waiting)
      if (settings.listens) this.#invite(waiting)
      else this.endpoint.postMessage({ flatshare: 'ask' })
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

  /** The other thread has ended, with this exit code where the runtime tells one. */
  end(code?: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#exitCode = code
    // The calls first: their errors say more than that a connect failed.
    for (const peer of this.#peers) peer.end(this.cause)
    for (const { reject, settings } of [...this.#waiting]) reject(this.#endedEarly(settings.what))
    this.#leave()
  }

  #endedEarly(what: string): FlatshareError {
    const withCode = this.#exitCode === undefined ? '' : `, with exit code ${this.#exitCode}`
    return new FlatshareError(`${what} ended before it began to serve${withCode}.`, this.#because())
  }

  #because(): ErrorOptions | undefined {
    return this.cause === undefined ? undefined : { cause: this.cause }
  }

  /** Stops listening once nobody needs it: that might keep this thread alive, and is seen by others. */
  #rest(): void {
    if (this.#serves || this.#waiting.size > 0 || this.#ended) return
    // A worker's end is told to those who have links to it.
    if (this.#isWorker && this.#peers.size > 0) return
    this.#leave()
  }

  #leave(): void {
    this.#stop()
    if (doors.get(this.endpoint) === this && !this.#ended) doors.delete(this.endpoint)
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
        this.failed(errorOf(message))
    }
  }

  #invite(waiting: Waiting): void {
    if (waiting.peer) return
    const { link, over, name, what } = waiting.settings
    const own = link === 'own'
    const { port1, port2 } = new MessageChannel()
    const peer = new Peer(linkOver(port1, over), {
      transient: link === 'visit',
      watched: this.#isWorker && reportsWorkerExit,
      onEnd: () => {
        this.#peers.delete(peer)
        waiting.reject(this.#endedEarly(what))
        this.#rest()
      },
    })
    peer.hello(own ? directory() : undefined)
    peer.onHello = (serves) => {
      if (!serves) return
      if (own) noteMet(peer, serves)
      waiting.resolve({ peer, serves })
    }
    waiting.peer = peer
    this.#peers.add(peer)
    const [packet, transferList] = marshal<Invitation>({ port: port2, name, own, over, thread: ownThreadId() })
    waiting.packet = packet
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
    const { port, name, own, over, thread } = invitation ?? {}
    if (!isPort(port)) {
      this.endpoint.postMessage({ flatshare: 'failed', message: 'What asked for a link brought no port.' })
      return
    }
    if (typeof name === 'string') nameThread(name)
    const peer = new Peer(
      linkOver(port, over === 'port' ? 'port' : 'shared'),
      typeof thread === 'number' && thread !== ownThreadId() ? { thread } : {},
    )
    if (own) {
      setOwnLinkKind(over === 'port' ? 'port' : 'shared')
      peer.onHello = (serves) => noteMet(peer, serves)
      peer.onCloseAsked = () =>
        whenAllAnswered(() => {
          flushLinks()
          endThread()
        })
    }
    if (this.#serves) peer.hello(directory())
    else this.#early.push(peer)
  }
}

/** Why the other thread can't serve, as far as that can be read here. */
function errorOf({ message, packet }: DoorMessage & { flatshare: 'failed' }): unknown {
  try {
    if (packet) return unmarshal(packet)
  } catch {
    // Its text must do.
  }
  return new FlatshareError(String(message))
}

/**
 * Says what other threads may use of this one by name: classes, of which they create objects that live
 * here; functions; objects, which they use by reference. Whoever opened this thread as an apartment, or
 * connects to it, gets proxies of them.
 *
 * In a worker it answers the thread that started it, and keeps the worker alive. `endpoint` names another
 * to answer: on the main thread a worker that shall call it, or a message port. Served again, names are
 * added. Functions are called, and values read, where they stand: `this` is the object given, and what changes there is
 * seen. Of an object of a class, others reach its public methods and accessors too; its calls run one at a time. A
 * class needs no decorator to be served; error classes served here arrive elsewhere as themselves
 * where they are registered (`registerError`).
 *
 * It begins to receive the endpoint's messages: attach a listener of your own in the same turn, before
 * or after, or early messages of yours pass by it.
 *
 * @example
 * serve({ Mailbox, resize, config })
 */
export function serve(exposed: object, endpoint?: Endpoint): void {
  if (typeof exposed !== 'object' || exposed === null) {
    throw new TypeError('serve takes an object, what other threads may use by its name: serve({ Mailbox, resize }).')
  }
  if (endpoint !== undefined && typeof endpoint?.postMessage !== 'function') {
    throw new TypeError('serve answers a worker, the parent of a worker, or a message port.')
  }
  addServed(exposed)
  // What the module that is running serves after this, they shall know as well.
  soon(greetOverLinks)
  const at = endpoint ?? parentEndpoint()
  if (at) Door.of(at).serve()
}
