/** Pools: threads that all run one module, and share the work. */
import { type Apartment, type Arguments, type CloseOptions, type Constructed, checkedClosing } from './apartment.js'
import type { WorkerSource } from './apartment-options.js'
import { openRemote, type Wanted } from './apartment-thread.js'
import type { CallSettings } from './call-settings.js'
import { type CallTrace, traceCall } from './call-trace.js'
import { crossingName } from './description.js'
import type { How } from './messages.js'
import { mapping, type PoolMapping } from './pool-map.js'
import { leastCalled, type PoolMember, type Replicated } from './pool-member.js'
import { checkedLimits, count, type PoolOptions } from './pool-options.js'
import { PoolThreads } from './pool-threads.js'
import { freshProxy, referenceOf } from './proxy.js'
import type { Reference } from './reference.js'
import type { ClassName, GivenAll, Remote, RemoteModule } from './remote.js'
import { RoutedReference, type Router } from './routed-reference.js'
import { ROOT } from './stub.js'

/** What a pool is doing. */
export interface PoolStats {
  /** Threads that take calls. */
  readonly threads: number
  /** Threads that are being started. */
  readonly starting: number
  /** Threads that have a call, of the pool's, to do. */
  readonly busy: number
  /** Calls that are being done. */
  readonly running: number
  /** Calls that wait for a thread. */
  readonly queued: number
  /** Calls that have ended, well or not. */
  readonly completed: number
}

/** How a pool works through items. */
export interface MapOptions {
  /** How many items are worked at once: as many as the pool takes by default. */
  concurrency?: number
  /** Results in the order of their items: true by default. Else they come as they are done. */
  ordered?: boolean
  /** Ends it. */
  signal?: AbortSignal
}

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never
type IsAny<T> = 0 extends 1 & T ? true : false

/** The names of a module's classes but those of its errors: nobody replicates an error. */
type ReplicableName<M> = {
  [K in ClassName<M> & keyof M]: IsAny<Constructed<M[K]>> extends true ? K : Constructed<M[K]> extends Error ? never : K
}[ClassName<M> & keyof M]

/**
 * What `map` calls with where it isn't said which replicas: the module where it has no class but errors, and any with
 * several. With one it is a replica of that, or the module where that was not replicated: the compiler takes it for
 * both.
 */
export type PoolTarget<M> =
  IsAny<M> extends true
    ? any
    : [ReplicableName<M>] extends [never]
      ? RemoteModule<M>
      : IsUnion<ReplicableName<M>> extends true
        ? any
        : Remote<Constructed<M[ReplicableName<M>]>> & RemoteModule<M>

const served = { id: ROOT, name: 'served' }

/**
 * Threads that all run the same module, and share the calls.
 *
 * A call goes to the least loaded thread; where all are busy it waits its turn, and more threads start, up to `max`.
 * Calls of one caller may overtake each other, as different threads do them; only those on one object are in order.
 * Arguments are read when a call is sent to its thread: don't change them before it has settled.
 *
 * A thread that dies is replaced: the calls that it was doing reject with `DisconnectedError` (`mayHaveRun: true`), those
 * that waited go elsewhere. If no thread can be started, the calls that wait reject with the reason. A call made from
 * inside a call of the pool's goes to a free thread, or else to that of its own chain, so a pool never waits for itself.
 *
 * The pool doesn't keep the process alive, only its calls in progress do (`keepAlive`). Closing it ends its threads.
 *
 * @example
 * await using pool = new ApartmentPool<typeof import('./render.js')>(new URL('./render.js', import.meta.url))
 * const renderer = await pool.replicate('Renderer', 'dark')
 * await renderer.render(page) // on whichever thread is free
 * const images = await pool.map(pages, (renderer, page) => renderer.render(page))
 */
export class ApartmentPool<M = any> implements AsyncDisposable {
  readonly #threads: PoolThreads
  readonly #replicas = new Map<object, Replicated>()
  /** What the module serves but its classes; each call goes to the least loaded thread. */
  readonly remote: RemoteModule<M>
  #ending: Promise<void> | undefined

  /**
   * A pool of which nothing is started yet; its first use does that.
   *
   * @param source as `Apartment.open` takes it; a function makes a worker for each thread.
   * @throws TypeError and RangeError for options that are none.
   */
  constructor(source: WorkerSource, options: PoolOptions = {}) {
    this.#threads = new PoolThreads(source, options, checkedLimits(source, options))
    this.remote = this.#makeRemote() as RemoteModule<M>
  }

  /**
   * A pool whose first threads, `min` of them and one at least, serve.
   *
   * @throws FlatshareError when none can be started; none is left behind then.
   * @throws TypeError and RangeError for options that are none.
   */
  static async open<M = any>(source: WorkerSource, options: PoolOptions = {}): Promise<ApartmentPool<M>> {
    const pool = new ApartmentPool<M>(source, options)
    try {
      await pool.#threads.begin()
    } catch (error) {
      await pool.terminate()
      throw error
    }
    return pool
  }

  get name(): string {
    return this.#threads.limits.name
  }

  /** The threads that take calls now. They belong to the pool, which ends and replaces them. */
  get members(): readonly Apartment<M>[] {
    return this.#threads.members.map(({ apartment }) => apartment)
  }

  stats(): PoolStats {
    const { members, starting, running, queued, completed } = this.#threads
    const busy = members.filter((member) => member.running > 0).length
    return { threads: members.length, starting, busy, running, queued, completed }
  }

  /**
   * Makes one object, on the thread where the fewest live; a thread is started for it while there are fewer than
   * `max` and none is without. Its calls go to it directly, and don't count for `maxQueue`. Its thread doesn't end
   * for being idle while anybody holds it.
   *
   * @throws what the constructor throws; TypeError when there is no such class; FlatshareError when no thread starts.
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
  async create(wanted: Wanted, ...args: unknown[]): Promise<any> {
    const trace = traceCall()
    const threads = this.#threads
    if (threads.members.every(({ objects, running }) => objects + running > 0)) await threads.growByOne()
    const what = `new ${nameOf(wanted)}()`
    return threads.run({ what, trace, settles: true, run: ({ thread }) => thread.create(wanted, args) })
  }

  /**
   * Makes an object of the class on every thread, those that are started later included, and gives one remote for
   * all of them: each call goes to the replica of the least loaded thread. What they don't share is theirs: state that
   * all must see belongs into free-threaded objects. `release` lets go of all replicas.
   *
   * @param args packed for each thread, so nothing can be moved to it.
   * @throws what the constructor throws; no replica is left then.
   * @throws TypeError when there is no such class; FlatshareError when no thread starts.
   */
  replicate<K extends ClassName<M>>(
    name: K,
    ...args: GivenAll<Arguments<M[K & keyof M]>>
  ): Promise<Remote<Constructed<M[K & keyof M]>>>
  replicate<C extends abstract new (...args: any) => object>(
    Class: C,
    ...args: GivenAll<Arguments<C>>
  ): Promise<Remote<Constructed<C>>>
  replicate<T = any>(exported: URL, ...args: any[]): Promise<Remote<T>>
  async replicate(wanted: Wanted, ...args: unknown[]): Promise<any> {
    const threads = this.#threads
    await threads.begin()
    const replicated: Replicated = { wanted, args }
    threads.replicated.add(replicated)
    const members = [...threads.members]
    const made = await Promise.allSettled(members.map((member) => member.equip(replicated)))
    const first = made.find((outcome) => outcome.status === 'fulfilled')
    // A thread that has died meanwhile is replaced, with its replica.
    const failed = made.find(
      (outcome, i): outcome is PromiseRejectedResult => outcome.status === 'rejected' && !(first && members[i]!.gone),
    )
    if (failed || !first) {
      this.#drop(replicated)
      throw failed!.reason
    }
    const remote = this.#makeReplicas(replicated, referenceOf(first.value)!)
    this.#replicas.set(remote, replicated)
    return remote
  }

  /**
   * Calls `work` for each item with a replica, and gives the results: await it for the array, or iterate it. It begins
   * then. While one call of `work` lasts, its thread is its own, as are the state and the order of what it calls there.
   *
   * Items are pulled no faster than they are worked at and, when the results are iterated, read. The first error ends
   * it: nothing more is pulled, and the source is closed.
   *
   * @param replicas which `replicate` gave. Left out: the only ones that there are, or else the module's `remote`.
   * @throws TypeError when there are several and it isn't said which.
   * @example
   * for await (const image of pool.map(pages(), (renderer, page) => renderer.render(page))) show(image)
   */
  map<T, R>(
    items: Iterable<T> | AsyncIterable<T>,
    work: (target: PoolTarget<M>, item: Awaited<T>, index: number) => R | PromiseLike<R>,
    options?: MapOptions,
  ): PoolMapping<Awaited<R>>
  map<C extends object, T, R>(
    replicas: C,
    items: Iterable<T> | AsyncIterable<T>,
    work: (replica: C, item: Awaited<T>, index: number) => R | PromiseLike<R>,
    options?: MapOptions,
  ): PoolMapping<Awaited<R>>
  map(...given: unknown[]): PoolMapping<any> {
    const explicit = typeof given[2] === 'function'
    const [items, work, options = {}] = (explicit ? given.slice(1) : given) as [any, Function, MapOptions?]
    const replicated = explicit ? this.#replicas.get(given[0] as object) : this.#only()
    if (explicit && !replicated)
      throw new TypeError('map takes, to say which replicas, what replicate of this pool gave.')
    if (typeof work !== 'function') throw new TypeError('map takes items and a function that works at one.')
    if (typeof items?.[Symbol.asyncIterator] !== 'function' && typeof items?.[Symbol.iterator] !== 'function') {
      throw new TypeError('map takes items that can be iterated.')
    }
    const { signal, ordered = true } = options
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal is not an AbortSignal.')
    const { max, concurrency: each } = this.#threads.limits
    const concurrency = count('concurrency', options.concurrency ?? max * each, 1)
    const trace = traceCall()
    const run = async (member: PoolMember, item: unknown, index: number) =>
      work(replicated ? member.replica(replicated) : member.thread.remote, item, index) as unknown
    return mapping(
      items as Iterable<unknown>,
      (item, index) =>
        this.#threads.run({
          what: 'map',
          trace,
          settings: signal && { signal },
          patient: true,
          run: (member) => this.#threads.runLeased(member, () => run(member, item, index)),
        }),
      { concurrency, signal, ordered },
    )
  }

  /**
   * Takes no calls any more; those that run or wait may finish for so many milliseconds (5,000 by default), then the
   * threads end, and what is left rejects with `DisconnectedError`. Again gives the same promise.
   *
   * @throws RangeError for a timeout that is none.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const { timeout, refusal } = checkedClosing(options)
    return refusal ?? (this.#ending ??= this.#threads.close(timeout))
  }

  /** Ends the threads at once: calls that run or wait reject with `DisconnectedError`. */
  terminate(): Promise<void> {
    return (this.#ending = this.#threads.terminate())
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom') as never](): string {
    const { threads, running, queued } = this.stats()
    const { state } = this.#threads
    return `ApartmentPool { name: "${this.name}", threads: ${threads}, running: ${running}, queued: ${queued}, ${state} }`
  }

  #makeRemote(): object {
    const threads = this.#threads
    return openRemote({
      place: this.name,
      ownThreads: true,
      call: (how, member, args, settings) => {
        const trace: CallTrace = traceCall()
        return threads.run({
          what: `served.${member}`,
          trace,
          settings,
          run: ({ thread }, rest) => thread.peer.call(served, how, member, args, trace, rest),
          asksIdle: ({ thread }) => thread.peer.call(served, 'idle', '', [], trace),
        })
      },
      nearest: () => referenceOf(this.#nearest().thread.remote)!,
    })
  }

  #makeReplicas(replicated: Replicated, { description }: Reference): object {
    const threads = this.#threads
    const { name } = description
    const callOn = (
      on: PoolMember,
      how: How,
      member: string,
      args: unknown[],
      trace: CallTrace,
      rest?: CallSettings,
    ) => {
      const replica = on.replica(replicated)
      const target = { id: referenceOf(replica)!.id, name }
      return on.thread.peer.call(target, how, member, args, trace, rest, replica)
    }
    const router: Router = {
      place: this.name,
      ownThreads: true,
      call: (how, member, args, settings) => {
        const trace = traceCall()
        return threads.run({
          what: how === 'get' ? `${name}.${member}` : `${name}.${member}()`,
          trace,
          settings,
          run: (on, rest) => callOn(on, how, member, args, trace, rest),
          asksIdle: (on) => callOn(on, 'idle', '', [], trace),
        })
      },
      nearest: () => this.#nearest().reference(replicated),
      released: () => this.#drop(replicated),
    }
    return freshProxy(new RoutedReference(description, router))
  }

  #drop(replicated: Replicated): void {
    this.#threads.replicated.delete(replicated)
    for (const member of this.#threads.members) member.drop(replicated)
    for (const [remote, of] of this.#replicas) if (of === replicated) this.#replicas.delete(remote)
  }

  #only(): Replicated | undefined {
    if (this.#replicas.size <= 1) return this.#replicas.values().next().value
    throw new TypeError('Several classes are replicated: say which, as in pool.map(renderers, items, work).')
  }

  /** For a call that blocks: it can't wait its turn, and queues on its thread. */
  #nearest(): PoolMember {
    const member = leastCalled(this.#threads.members)
    if (member) return member
    throw new TypeError(`The pool "${this.name}" has no thread yet: await a call before one that blocks.`)
  }
}

function nameOf(wanted: Wanted): string {
  return typeof wanted === 'function' ? crossingName(wanted) : String(wanted)
}
