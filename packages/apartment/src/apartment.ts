/** Apartments: threads, and the objects that are made on them. */
import { currentThread, FlatshareError } from '@flatshare/core'
import {
  checkedTimeout,
  type Endpoint,
  holdWorker,
  onWorkerError,
  ownThreadId,
  type StartedWorker,
  type ThreadId,
  type WorkerOutput,
} from '@flatshare/core/internal'
import {
  type ApartmentSource,
  checkOpening,
  type OpenOptions,
  POOLS_ARE_THREADS,
  START_TIMEOUT,
  startSource,
  type WorkerSource,
} from './apartment-options.js'
import { type ApartmentThread, MainThread, OwnThread, type Wanted, WorkerThread } from './apartment-thread.js'
import type { ConnectOptions } from './connect.js'
import { Door } from './handshake.js'
import { checkedLinkKind } from './link-kind.js'
import type { ClassName, GivenAll, Remote, RemoteModule } from './remote.js'
import { isProcess, kindOfSource, refusePromise } from './sources.js'

const CLOSE_TIMEOUT = 5_000

export type Constructed<C> = 0 extends 1 & C ? any : C extends abstract new (...args: any) => infer T ? T : never
export type Arguments<C> = C extends abstract new (...args: infer A) => any ? A : never

/** How an apartment is closed. */
export interface CloseOptions {
  /** Milliseconds that calls in flight may take to finish: 5,000 by default. */
  timeout?: number
}

/** The timeout that was given; a rejection where it is none. */
export function checkedClosing({ timeout = CLOSE_TIMEOUT }: CloseOptions): {
  timeout: number
  refusal?: Promise<never>
} {
  try {
    return { timeout: checkedTimeout(timeout, 'timeout') }
  } catch (error) {
    return { timeout, refusal: Promise.reject(error as Error) }
  }
}

let current: Apartment | undefined
let main: Apartment | undefined
let make: <M>(thread: ApartmentThread) => Apartment<M>

/** A thread, with the objects that live there. `M` is the type of its module. */
export class Apartment<M = any> implements AsyncDisposable {
  static {
    make = (thread) => new Apartment(thread)
  }

  readonly #thread: ApartmentThread

  private constructor(thread: ApartmentThread) {
    this.#thread = thread
  }

  /**
   * Starts a thread and waits until it serves.
   *
   * Given a URL, it runs that module, whose exports are served without a word. Given a function that makes
   * a worker, the form that bundlers see, that worker's module must call `serve`. Like a worker it keeps
   * the process alive until it is closed, unless `keepAlive` is false.
   *
   * @throws FlatshareError when the module can't be found, throws, ends or doesn't call `serve` in time;
   * its `cause` is the original error. No worker is left behind.
   * @throws TypeError and RangeError for options that are none, before anything is started.
   * @throws the signal's reason when that fires first.
   * @example
   * await using apartment = await Apartment.open<typeof import('./mailbox.js')>(new URL('./mailbox.js', import.meta.url))
   * const mailbox = await apartment.create('Mailbox', 'archive.mbox')
   */
  static async open<M = any>(source: ApartmentSource, options: OpenOptions = {}): Promise<Apartment<M>> {
    checkOpening(source, options, 'Apartment.open')
    return make<M>(await openSource(source, options))
  }

  /**
   * The thread of a worker that somebody else started, and that calls `serve`: objects can be made there, and
   * what it serves be called. Closing lets go of it: the worker goes on; `terminate` ends it.
   *
   * @throws TypeError for anything but a worker, and for a `link` that is none.
   * @throws FlatshareError when it has ended or doesn't begin to serve in time.
   * @throws the signal's reason when that fires first.
   * @example
   * const apartment = await Apartment.attachTo<typeof import('./mailbox.js')>(worker)
   */
  static async attachTo<M = any>(worker: Endpoint, options: ConnectOptions = {}): Promise<Apartment<M>> {
    if (typeof worker?.postMessage !== 'function' || !('terminate' in worker)) {
      throw new TypeError('attachTo takes a worker. For a port, or the parent of a worker, there is connect.')
    }
    const { startTimeout = START_TIMEOUT, signal } = options
    const over = checkedLinkKind(options.link)
    const door = Door.of(worker)
    const settings = { link: 'attached', over, startTimeout, signal, what: 'The worker' } as const
    const { peer, serves } = await door.connect(settings)
    return make<M>(new WorkerThread(worker as StartedWorker, door, peer, serves, false))
  }

  /**
   * The running thread. `create` makes an object here and gives its proxy: calls by it queue with those of other
   * threads, and what they take and give is copied, as everywhere; a method called on the object itself doesn't
   * queue. It can't be closed.
   *
   * @example
   * const log = await Apartment.current.create(Log)
   * await worker.use(log)
   */
  static get current(): Apartment {
    return (current ??= make(new OwnThread()))
  }

  /**
   * The process's main thread, from any thread, also from one that was not opened by it. It is connected at first
   * use, not through its event loop, but answers calls by that. It can't be closed. Its `remote` calls by name
   * what the main thread serves at that moment.
   *
   * A first call rejects with a `FlatshareError` after 10 seconds if the main thread doesn't use Flatshare.
   *
   * @example
   * await Apartment.main.remote.report('half way')
   */
  static get main(): Apartment {
    if (currentThread.isMain) return Apartment.current
    return (main ??= make(new MainThread()))
  }

  /** 0 for a main thread that doesn't use Flatshare yet. */
  get threadId(): ThreadId {
    return this.#thread.id
  }

  get name(): string {
    return this.#thread.name
  }

  /** What the module serves but its classes: functions to call, objects to get as proxies. */
  get remote(): RemoteModule<M> {
    return this.#thread.remote as RemoteModule<M>
  }

  /** What the thread prints, where `stdout: true` asked for it; ends with the thread. */
  get stdout(): WorkerOutput | undefined {
    return this.#thread.stdout
  }

  /** What the thread prints as errors, where `stderr: true` asked for it. */
  get stderr(): WorkerOutput | undefined {
    return this.#thread.stderr
  }

  /**
   * Makes an object there and gives its proxy.
   *
   * The class is named as the module serves it. A class itself may be given where it is at hand: its name counts,
   * the one that its decorator or `serve` has given it first. One that the thread doesn't serve is found by its
   * module, where the decorator tells that (`module: import.meta.url`), or by a URL with the name of the export.
   *
   * @throws what the constructor throws.
   * @throws TypeError when there is no such class.
   * @example
   * await apartment.create('Mailbox', 'archive.mbox')
   * await apartment.create(new URL('./mailbox.js#Mailbox', import.meta.url), 'archive.mbox')
   */
  create<K extends ClassName<M>>(
    name: K,
    ...args: GivenAll<Arguments<M[K & keyof M]>>
  ): Promise<Remote<Constructed<M[K & keyof M]>>>
  create<C extends abstract new (...args: any) => object>(
    Class: C,
    ...args: GivenAll<Arguments<C>>
  ): Promise<Remote<Constructed<C>>>
  create<T = any>(exported: URL, ...args: any[]): Promise<Remote<T>>
  create(wanted: Wanted, ...args: unknown[]): Promise<any> {
    return this.#thread.create(wanted, args)
  }

  /**
   * Ends the thread: new calls reject at once, those in flight may finish for so many milliseconds (5,000
   * by default), then the thread ends and what is left rejects with `DisconnectedError`. Again gives the
   * same promise.
   *
   * @throws TypeError for `Apartment.current` and `Apartment.main`.
   * @throws RangeError for a timeout that is none.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const { timeout, refusal } = checkedClosing(options)
    return refusal ?? this.#thread.close(timeout)
  }

  /**
   * Ends the thread at once: calls in flight reject with `DisconnectedError`.
   *
   * @throws TypeError for `Apartment.current` and `Apartment.main`.
   */
  terminate(): Promise<void> {
    return this.#thread.terminate()
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom') as never](): string {
    return `Apartment { name: "${this.name}", thread: ${this.threadId}, ${this.#thread.state} }`
  }
}

/** The apartment of a thread that was opened apart. */
export function apartmentOf<M>(thread: ApartmentThread): Apartment<M> {
  return make<M>(thread)
}

/** Starts whatever it is and connects to it. The options have been checked. */
async function openSource(source: ApartmentSource, options: OpenOptions): Promise<ApartmentThread> {
  if (typeof source === 'object' && !(source instanceof URL)) return kindOfSource(source)!.open(source, options)
  const started = start(source as WorkerSource, options)
  const kind = typeof source === 'function' ? kindOfSource(started) : undefined
  return kind ? kind.open(started, options) : connectTo(started, source as WorkerSource, options)
}

/** Starts the worker of a source and connects to it. The options have been checked. */
export async function openThread(source: WorkerSource, options: OpenOptions): Promise<WorkerThread> {
  return connectTo(start(source, options), source, options)
}

/** What errors call an apartment. */
export const called = (name: string | undefined) => (name === undefined ? 'The apartment' : `The apartment "${name}"`)

function start(source: WorkerSource, options: OpenOptions): StartedWorker {
  options.signal?.throwIfAborted()
  // Of the two, the opener is the elder.
  ownThreadId()
  try {
    return startSource(source, options)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new FlatshareError(`${called(options.name)} did not start: ${message}`, { cause: error })
  }
}

async function connectTo(worker: StartedWorker, source: WorkerSource, options: OpenOptions): Promise<WorkerThread> {
  const { name, startTimeout = START_TIMEOUT, signal, keepAlive = true } = options
  const what = called(name)
  refusePromise(worker)
  if (typeof worker?.postMessage !== 'function' || typeof worker.terminate !== 'function') {
    if (!isProcess(worker))
      throw new TypeError('Apartment.open takes the URL of a module, or a function that makes a worker.')
    worker.kill('SIGKILL')
    throw new TypeError(
      kindOfSource(worker)
        ? POOLS_ARE_THREADS
        : "Apartment.open got a process from its function: import '@flatshare/process', which talks to those.",
    )
  }
  const door = Door.of(worker)
  // The error is its opener's: it is told to whoever waits, and ends no process.
  onWorkerError(worker, () => {})
  if (!keepAlive) holdWorker(worker, false)
  const hint =
    typeof source === 'function'
      ? 'does its module call serve()?'
      : 'is its module still waiting, by a top-level await?'
  try {
    const over = checkedLinkKind(options.link)
    const listens = typeof source !== 'function'
    const { peer, serves } = await door.connect({ link: 'own', over, name, listens, startTimeout, signal, what, hint })
    return new WorkerThread(worker, door, peer, serves, true, options)
  } catch (error) {
    await worker.terminate()
    door.end()
    throw error
  }
}

/**
 * As `Apartment.attachTo`.
 *
 * @example
 * const apartment = await attachTo<typeof import('./mailbox.js')>(worker)
 */
export const attachTo: typeof Apartment.attachTo = (worker, options) => Apartment.attachTo(worker, options)
