/** What an apartment stands on: the thread behind it, in the three ways in which this one reaches a thread. */
import { currentThread } from '@flatshare/core'
import {
  currentFrame,
  holdWorker,
  mainThreadId,
  ownThreadId,
  runInFrame,
  type StartedWorker,
  type ThreadId,
  type WorkerOutput,
} from '@flatshare/core/internal'
import { after } from './after.js'
import type { CallSettings } from './call-settings.js'
import { type CallTrace, traceCall } from './call-trace.js'
import { type Waited, waitWithin } from './call-wait.js'
import { crossingName } from './description.js'
import type { Connected, Door } from './handshake.js'
import { findMainThread, meet } from './introduce.js'
import { localProxy, ownPeer } from './loopback.js'
import { CLOSE } from './messages.js'
import { classNameFor } from './module-class.js'
import { ownThread } from './own-threads.js'
import type { Peer } from './peer.js'
import { freshProxy, proxyApart } from './proxy.js'
import { Reference } from './reference.js'
import { learn } from './remote-description.js'
import { RoutedReference, type Router } from './routed-reference.js'
import { construct, directory } from './serve-table.js'
import { hold, ROOT, SERVED, stubFor } from './stub.js'

/** What `create` is given to find a class by. */
export type Wanted = string | URL | Function

export interface ApartmentThread {
  /** 0 where it isn't known yet. */
  readonly id: ThreadId
  readonly name: string
  readonly state: 'connected' | 'not connected yet' | 'closing' | 'ended' | 'let go'
  readonly remote: object
  readonly stdout?: WorkerOutput | undefined
  readonly stderr?: WorkerOutput | undefined
  create(wanted: Wanted, args: unknown[]): Promise<unknown>
  close(timeout: number): Promise<void>
  terminate(): Promise<void>
}

/** Makes an object on the thread at the other end of a link. */
export function createBy(peer: Peer, wanted: string, args: unknown[], trace: CallTrace): Promise<unknown> {
  return peer.call({ id: ROOT, name: wanted }, 'create', wanted, args, trace)
}

/** A worker that this thread started, or (then its end is its owner's) attached to. */
export class WorkerThread implements ApartmentThread {
  readonly remote: object
  #closing: Promise<void> | undefined
  #left = false
  #refuses = false

  constructor(
    readonly worker: StartedWorker,
    readonly door: Door,
    readonly peer: Peer,
    serves: Connected['serves'],
    readonly isOwn: boolean,
    readonly output: { readonly stdout?: boolean; readonly stderr?: boolean } = {},
  ) {
    this.remote = proxyApart(peer.threadId, ROOT, learn(peer.threadId, serves), peer)
    const forget = ownThread(peer.threadId, (cause) => {
      door.cause ??= cause
      void this.terminate()
    })
    peer.onGone(forget)
  }

  get id(): ThreadId {
    return this.peer.threadId
  }

  get name(): string {
    return this.peer.name
  }

  get state(): ApartmentThread['state'] {
    if (this.#left) return 'let go'
    if (this.peer.gone) return 'ended'
    return this.#refuses ? 'closing' : 'connected'
  }

  get stdout(): WorkerOutput | undefined {
    return this.output.stdout ? this.worker.stdout : undefined
  }

  get stderr(): WorkerOutput | undefined {
    return this.output.stderr ? this.worker.stderr : undefined
  }

  async create(wanted: Wanted, args: unknown[]): Promise<unknown> {
    return createBy(this.peer, classNameFor(wanted), args, traceCall())
  }

  /** Whether it takes calls: it lives, and is not about to end. */
  get isOpen(): boolean {
    return !this.#refuses && !this.peer.gone
  }

  #refuse(): void {
    this.#refuses = true
    this.peer.refuseCalls()
  }

  close(timeout: number): Promise<void> {
    return (this.#closing ??= this.#close(timeout))
  }

  async #close(timeout: number): Promise<void> {
    const { peer, worker } = this
    this.#refuse()
    // Whoever awaits this shall see it end.
    if (this.isOwn) holdWorker(worker, true)
    const late = after(timeout)
    const ended = new Promise<void>((resolve) => void peer.onGone(resolve))
    const idle = new Promise<void>((resolve) => peer.whenIdle(resolve))
    await Promise.race([idle, late.promise])
    if (!this.isOwn) {
      late.stop()
      this.#left = !peer.gone
      peer.leave()
      return
    }
    if (!peer.gone) peer.link.send([CLOSE])
    await Promise.race([ended, late.promise])
    late.stop()
    await this.terminate()
  }

  async terminate(): Promise<void> {
    this.#refuse()
    await this.worker.terminate()
    this.door.end()
  }
}

const SERVED_BY_NAME = { id: SERVED, name: 'served', isFunction: false, methods: [], getters: [] } as const

/** The remote of what a thread serves, where that isn't known when it is asked for. */
export function openRemote(router: Router): object {
  return freshProxy(new RoutedReference({ ...SERVED_BY_NAME, anyMember: true }, router))
}

/** The process's main thread, reached at first use, whoever started it. */
export class MainThread implements ApartmentThread {
  #peer: Peer | undefined
  /** Calls that wait for the link: later ones don't overtake them. */
  #waiting = 0
  readonly remote = openRemote({
    place: 'main',
    ownThreads: false,
    call: (how, member, args, settings) => {
      const trace = traceCall()
      const target = { id: ROOT, name: 'served' }
      return this.#through(`served.${member}`, settings, (peer, rest) =>
        peer.call(target, how, member, args, trace, rest),
      )
    },
    nearest: () => {
      if (this.#peer?.gone === false) return apartFrom(this.#peer)
      throw new TypeError('The main thread has not been reached yet: await a call to it before one that blocks.')
    },
  })

  get id(): ThreadId {
    return mainThreadId()
  }

  get name(): string {
    return this.#peer?.name ?? 'main'
  }

  get state(): ApartmentThread['state'] {
    if (!this.#peer) return 'not connected yet'
    return this.#peer.gone ? 'ended' : 'connected'
  }

  async #connect(): Promise<Peer> {
    const { peer } = await meet(await findMainThread())
    return (this.#peer = peer)
  }

  async create(wanted: Wanted, args: unknown[]): Promise<unknown> {
    const name = classNameFor(wanted)
    const trace = traceCall()
    return this.#through(`new ${name}()`, undefined, (peer) => createBy(peer, name, args, trace))
  }

  /** Calls by the link, at once where it stands. */
  async #through(
    what: string,
    settings: CallSettings | undefined,
    call: (peer: Peer, settings: CallSettings | undefined) => Promise<unknown>,
  ): Promise<unknown> {
    if (this.#peer?.gone === false && this.#waiting === 0) return call(this.#peer, settings)
    const frame = currentFrame() ?? { parent: undefined }
    this.#waiting++
    let waited: Waited<Peer>
    try {
      waited = await waitWithin<Peer>(what, settings, (resolve, reject) => {
        this.#connect().then(resolve, reject)
      })
    } finally {
      this.#waiting--
    }
    return runInFrame(frame, () => call(waited.value, waited.settings))
  }

  async close(): Promise<void> {
    throw new TypeError("Apartment.main is the process's main thread: it isn't closed, it ends with the process.")
  }

  terminate(): Promise<void> {
    return this.close()
  }
}

/** What the thread at the other end of a link serves, for a call that can't wait until that is known. */
export function apartFrom(peer: Peer): Reference {
  const reference = new Reference(peer.threadId, ROOT, learn(peer.threadId, [SERVED, 'served', [], []]))
  reference.arrived(peer)
  return reference
}

/** The running thread. */
export class OwnThread implements ApartmentThread {
  readonly state = 'connected'
  #remote: { readonly object: object; readonly serves: string } | undefined

  get id(): ThreadId {
    return ownThreadId()
  }

  get name(): string {
    return currentThread.name
  }

  /** Made anew when more is served. */
  get remote(): object {
    const serves = directory()
    const key = JSON.stringify(serves)
    if (this.#remote?.serves !== key) {
      const object = proxyApart(this.id, ROOT, learn(this.id, serves), ownPeer())
      this.#remote = { object, serves: key }
    }
    return this.#remote!.object
  }

  async create(wanted: Wanted, args: unknown[]): Promise<unknown> {
    const trace = traceCall()
    if (typeof wanted !== 'function')
      return localProxy((await createBy(ownPeer(), classNameFor(wanted), args, trace)) as object)
    const make = stubFor((...given: unknown[]) => construct(wanted as new () => object, given))
    hold(make.id, 1, make)
    try {
      const name = `new ${crossingName(wanted)}`
      return localProxy((await ownPeer().call({ id: make.id, name }, 'apply', '', args, trace)) as object)
    } finally {
      hold(make.id, -1)
    }
  }

  async close(): Promise<void> {
    throw new TypeError("Apartment.current is the running thread: it isn't closed by itself, it ends with its work.")
  }

  terminate(): Promise<void> {
    return this.close()
  }
}
