/** The thread behind an apartment that was attached to by a socket: its process is its owner's. */
import {
  type ApartmentThread,
  after,
  classNameFor,
  createBy,
  type OpenedOver,
  ownThread,
  remoteOf,
  traceCall,
  type Wanted,
} from '@flatshare/apartment/internal'
import { holdOpen, type ThreadId } from '@flatshare/core/internal'

export class SocketThread implements ApartmentThread {
  readonly remote: object
  #closing: Promise<void> | undefined
  #refuses = false
  #left = false

  constructor(
    readonly opened: OpenedOver,
    keepAlive: boolean,
  ) {
    const { peer, serves } = opened
    this.remote = remoteOf(peer, serves)
    const letGo = keepAlive ? holdOpen() : undefined
    const forget = ownThread(peer.threadId, (cause) => peer.end(cause))
    peer.onGone(() => {
      forget()
      letGo?.()
    })
  }

  get id(): ThreadId {
    return this.opened.peer.threadId
  }

  get name(): string {
    return this.opened.peer.name
  }

  get state(): ApartmentThread['state'] {
    if (this.#left) return 'let go'
    if (this.opened.peer.gone) return 'ended'
    return this.#refuses ? 'closing' : 'connected'
  }

  async create(wanted: Wanted, args: unknown[]): Promise<unknown> {
    return createBy(this.opened.peer, classNameFor(wanted), args, traceCall())
  }

  close(timeout: number): Promise<void> {
    return (this.#closing ??= this.#close(timeout))
  }

  async #close(timeout: number): Promise<void> {
    const { peer } = this.opened
    this.#refuses = true
    peer.refuseCalls()
    const late = after(timeout)
    await Promise.race([new Promise<void>((resolve) => peer.whenIdle(resolve)), late.promise])
    late.stop()
    this.#leave()
  }

  /** Lets go at once: the process isn't this one's to end. */
  async terminate(): Promise<void> {
    this.#refuses = true
    this.#leave()
  }

  #leave(): void {
    this.#left ||= !this.opened.peer.gone
    this.opened.peer.leave()
  }
}
