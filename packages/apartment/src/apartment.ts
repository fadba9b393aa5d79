/** Apartments: threads that this one opens, to make objects on them. */
import { FlatshareError } from '@flatshare/core'
import {
  onWorkerError,
  ownThreadId,
  type StartedWorker,
  startWorker,
  type ThreadId,
  type WorkerSettings,
} from '@flatshare/core/internal'
import { traceCall } from './call-trace.js'
import { crossingName } from './description.js'
import { type Connected, Door } from './handshake.js'
import { CLOSE } from './messages.js'
import type { Peer } from './peer.js'
import { proxyApart } from './proxy.js'
import { learn } from './reference.js'
import type { ClassName, GivenAll, Remote, RemoteModule } from './remote.js'
import { ROOT } from './stub.js'

export interface OpenOptions {
  /** What errors, stacks and `currentThread.name` call the thread. */
  name?: string
  /** What the module finds as its `workerData`; for a module opened by URL. */
  workerData?: unknown
  /** What of `workerData` is moved, not copied. */
  transferList?: any[]
  /** Limits of the thread's memory, in megabytes, where the runtime has them; for a module opened by URL. */
  resourceLimits?: NonNullable<WorkerSettings['resourceLimits']>
  /** Milliseconds until a thread that doesn't begin to serve is given up: 10,000 by default. */
  startTimeout?: number
  /** Gives up opening. */
  signal?: AbortSignal
}

export const START_TIMEOUT = 10_000
const CLOSE_TIMEOUT = 5_000

type Constructed<C> = 0 extends 1 & C ? any : C extends abstract new (...args: any) => infer T ? T : never
type Arguments<C> = C extends abstract new (...args: infer A) => any ? A : never

/** A thread of this one's, with the objects that live there. `M` is the type of its module. */
export class Apartment<M = any> implements AsyncDisposable {
  readonly threadId: ThreadId
  /** What the module serves but its classes: functions to call, objects to get as proxies. */
  readonly remote: RemoteModule<M>
  readonly #worker: StartedWorker
  readonly #door: Door
  readonly #peer: Peer
  #closing: Promise<void> | undefined

  private constructor(worker: StartedWorker, door: Door, { peer, serves }: Connected) {
    this.#worker = worker
    this.#door = door
    this.#peer = peer
    this.threadId = peer.threadId
    this.remote = proxyApart(peer.threadId, ROOT, learn(peer.threadId, serves), peer) as RemoteModule<M>
  }

  /**
   * Starts a thread and waits until it serves.
   *
   * Given a URL, it runs that module, whose exports are served without a word. Given a function that makes
   * a worker, the form that bundlers see, that worker's module must call `serve`. Like a worker it keeps
   * the process alive until it is closed.
   *
   * @throws FlatshareError when the module can't be found, throws, ends or doesn't call `serve` in time;
   * its `cause` is the original error. No worker is left behind.
   * @throws the signal's reason when that fires first.
   * @example
   * await using apartment = await Apartment.open<typeof import('./mailbox.js')>(new URL('./mailbox.js', import.meta.url))
   * const mailbox = await apartment.create('Mailbox', 'archive.mbox')
   */
  static async open<M = any>(
    source: URL | string | (() => { postMessage(message: any, transfer: any[]): void; terminate(): unknown }),
    options: OpenOptions = {},
  ): Promise<Apartment<M>> {
    options.signal?.throwIfAborted()
    // Of the two, the opener is the elder.
    ownThreadId()
    const name = options.name
    const what = name === undefined ? 'The apartment' : `The apartment "${name}"`
    let worker: StartedWorker
    try {
      worker = typeof source === 'function' ? (source() as StartedWorker) : startHost(source, options)
    } catch (error) {
      throw new FlatshareError(`${what} did not start: ${(error as Error).message}`, { cause: error })
    }
    if (typeof worker?.postMessage !== 'function' || typeof worker.terminate !== 'function') {
      throw new TypeError('Apartment.open takes the URL of a module, or a function that makes a worker.')
    }
    const door = Door.of(worker)
    onWorkerError(worker, (error) => door.failed(error))
    try {
      const { startTimeout = START_TIMEOUT, signal } = options
      return new Apartment<M>(worker, door, await door.connect({ apartment: true, name, startTimeout, signal, what }))
    } catch (error) {
      await worker.terminate()
      door.end()
      throw error
    }
  }

  get name(): string {
    return this.#peer.name
  }

  /**
   * Makes an object there and gives its proxy. The class is named as the module serves it; a class itself
   * may be given where it is at hand, its name counts.
   *
   * @throws what the constructor throws.
   * @throws TypeError when no such class is served.
   */
  create<K extends ClassName<M>>(
    name: K,
    ...args: GivenAll<Arguments<M[K & keyof M]>>
  ): Promise<Remote<Constructed<M[K & keyof M]>>>
  create<C extends abstract new (...args: any) => object>(
    Class: C,
    ...args: GivenAll<Arguments<C>>
  ): Promise<Remote<Constructed<C>>>
  create(name: string | Function, ...args: unknown[]): Promise<any> {
    const wanted = typeof name === 'function' ? crossingName(name) : name
    return this.#peer.call({ id: ROOT, name: wanted }, 'create', wanted, args, traceCall())
  }

  /**
   * Ends the thread: new calls reject at once, those in flight may finish for so many milliseconds (5,000
   * by default), then the thread ends and what is left rejects with `DisconnectedError`. Again gives the
   * same promise.
   */
  close(options: { timeout?: number } = {}): Promise<void> {
    return (this.#closing ??= this.#close(options.timeout ?? CLOSE_TIMEOUT))
  }

  async #close(timeout: number): Promise<void> {
    const peer = this.#peer
    peer.refuseCalls()
    let timer: ReturnType<typeof setTimeout> | undefined
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeout)
    })
    const ended = new Promise<void>((resolve) => void peer.onGone(resolve))
    const idle = new Promise<void>((resolve) => peer.whenIdle(resolve))
    await Promise.race([idle, tooLong])
    if (!peer.gone) peer.link.send([CLOSE])
    await Promise.race([ended, tooLong])
    clearTimeout(timer)
    await this.terminate()
  }

  /** Ends the thread at once: calls in flight reject with `DisconnectedError`. */
  async terminate(): Promise<void> {
    this.#peer.refuseCalls()
    await this.#worker.terminate()
    this.#door.end()
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function startHost(
  source: URL | string,
  { name, workerData, transferList, resourceLimits }: OpenOptions,
): StartedWorker {
  const settings: WorkerSettings = { args: [moduleUrl(source), ...(name === undefined ? [] : [name])] }
  if (name !== undefined) settings.name = name
  if (workerData !== undefined) settings.workerData = workerData
  if (transferList !== undefined) settings.transferList = transferList
  if (resourceLimits !== undefined) settings.resourceLimits = resourceLimits
  return startWorker(new URL('./host.js', import.meta.url), settings)
}

function moduleUrl(source: URL | string): string {
  if (source instanceof URL || URL.canParse(source)) return String(source)
  throw new TypeError(
    `"${source}" is no URL. For a module beside this one write new URL('${source}', import.meta.url).`,
  )
}
