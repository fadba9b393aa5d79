/**
 * What `locks` looks like: the `LockManager` of the Web Locks specification (https://w3c.github.io/web-locks/), in
 * types that take what `navigator.locks` takes and say a little more.
 */

/** `'exclusive'`: nobody else holds the name. `'shared'`: others may hold it too, shared. */
export type LockMode = 'exclusive' | 'shared'

/** A lock that is held, as its callback gets it. It only tells; nothing is done with it. */
export interface Lock {
  readonly name: string
  readonly mode: LockMode
}

/** How to request a lock. */
export interface LockRequestOptions {
  /** `'exclusive'` unless given. */
  mode?: LockMode
  /** Doesn't wait: calls back with null where the lock isn't free at once. */
  ifAvailable?: boolean
  /**
   * Takes the lock from all who hold it, in front of all who wait. Their promises reject with an `AbortError`; their
   * callbacks go on running, without the lock. For recovery, where a holder hangs; only with mode `'exclusive'`.
   */
  steal?: boolean
  /** Gives up when it aborts; the promise rejects with its reason. Once the callback runs, it does nothing. */
  signal?: AbortSignal
}

/** A lock that is held or asked for. */
export interface LockInfo {
  name: string
  mode: LockMode
  /** The thread: its `currentThread.id`, as a string. */
  clientId: string
}

/** All locks of the process at one moment. */
export interface LockManagerSnapshot {
  /** In the order in which they were granted. */
  held: LockInfo[]
  /** In the order in which they were requested. */
  pending: LockInfo[]
}

/**
 * Locks by name, for all threads of the process: the Web Locks API, to the letter.
 *
 * `navigator.locks`, where a runtime has it, spans the tabs of an origin; this one spans the threads of one process,
 * on every runtime.
 */
export interface LockManager {
  /**
   * Waits until the lock is granted, calls `callback` with it, and holds it until what that returns has settled. The
   * promise settles as the callback's, after the lock is released. The callback never runs inside of `request`.
   *
   * Requests for a name are granted strictly in their order, whichever threads they come from: those for shared mode
   * wait behind one for exclusive mode that came before them. A lock that this thread holds is waited for like any
   * other, so a request for it inside of its own callback, awaited there, never ends. What a thread holds or waits for
   * when it ends is given up at once.
   *
   * A request that waits keeps the process alive; a lock that is held doesn't.
   *
   * It rejects, and never throws: with a TypeError for arguments that aren't what they should be; with a
   * `NotSupportedError` (a DOMException) for a name that begins with `-`, for `steal` together with `ifAvailable` or
   * shared mode, and for `signal` together with `steal` or `ifAvailable`; with the signal's reason when that aborts;
   * with an `AbortError` (a DOMException) when the lock is stolen.
   *
   * @example
   * await locks.request('cache', async () => { await cache.rebuild() })
   * const size = await locks.request('cache', { mode: 'shared' }, () => cache.size)
   */
  request<T>(name: string, callback: (lock: Lock) => T): Promise<Awaited<T>>
  request<T>(
    name: string,
    options: LockRequestOptions & { ifAvailable?: false },
    callback: (lock: Lock) => T,
  ): Promise<Awaited<T>>
  request<T>(name: string, options: LockRequestOptions, callback: (lock: Lock | null) => T): Promise<Awaited<T>>

  /**
   * Resolves with what all threads hold and wait for, at one moment. It may be otherwise by the time that you look.
   *
   * @example
   * const { held } = await locks.query()
   * console.log(held.map(({ name, clientId }) => `${name}: thread ${clientId}`))
   */
  query(): Promise<LockManagerSnapshot>
}
