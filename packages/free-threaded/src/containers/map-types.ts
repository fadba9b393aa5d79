/** What a `SharedMap` promises; its class is in `map.ts`. */
import type { CrossesAsItself } from '@flatshare/core'
import type { DeepReadonly, SharedType, TypeFor, ValueIn, ValueOut } from '../cells/value-types.js'

/** How to make a `SharedMap`. */
export interface SharedMapOptions<KT = SharedType, VT = SharedType> {
  /** The type of its keys: a number, `'bool'`, `'string'`, an enumeration, or a class whose objects are keys. */
  readonly key: KT
  /** The type of its values: any type that a `@Shared` field has. */
  readonly value: VT
  /** At most so many entries: one more, and the one that was not used for longest is removed. */
  readonly maxEntries?: number
}

/**
 * A `Map` that any thread uses directly. Its keys and values lie in shared memory; it crosses like any free-threaded
 * object, and may be the value of a `@Shared(ref(SharedMap))` field or of another container.
 *
 * Methods mean what those of `Map` mean, and each is one step for all threads. Iteration is over the entries as they
 * were when it began: other threads may go on changing the map meanwhile. Functions that are passed in run without the
 * map's lock, except in `update` and `getOrInsertComputed`, which are one step with the function inside.
 *
 * What comes out of a `json` value is frozen at any depth, since a change to it would be lost: set it anew, or `update`.
 *
 * When a thread ends inside a method, the map is made whole again before the next one goes in: each entry is there or
 * not, with its old value or the new one. So there is no AbandonedError.
 *
 * @example
 * const cache = new SharedMap<string, Page>({ key: 'string', value: 'json', maxEntries: 10_000 })
 * const page = await cache.getOrInsertAsync(url, () => render(url)) // rendered once, however many threads ask
 */
export interface SharedMap<K, V, Out = DeepReadonly<V>> extends Iterable<[K, Out]>, Disposable, CrossesAsItself {
  /** How many entries there are. */
  readonly size: number
  /** The most entries that it keeps; undefined if there is no limit. */
  readonly maxEntries: number | undefined
  /** The value of a key; undefined where there is none. */
  get(key: K): Out | undefined
  /** Whether the key is in. It doesn't count as a use of the entry. */
  has(key: K): boolean
  /**
   * Sets the value of a key.
   *
   * @throws TypeError, RangeError for a key or value that its type doesn't take.
   * @throws HeapFullError; the map is as it was then.
   */
  set(key: K, value: V): this
  /** Removes a key; says whether it was there. */
  delete(key: K): boolean
  /** Removes all entries, and gives their memory back. */
  clear(): void
  /** Calls `fn` for each entry of this moment. */
  forEach(fn: (value: Out, key: K, map: this) => void, thisArg?: unknown): void
  entries(): IterableIterator<[K, Out]>
  keys(): IterableIterator<K>
  values(): IterableIterator<Out>
  /**
   * Sets a key to what `fn` makes of its present value (undefined where there is none), in one step for all threads;
   * gives the new value. `fn` holds up others: let it be short.
   *
   * @example
   * hits.update(path, (count = 0) => count + 1)
   */
  update(key: K, fn: (value: Out | undefined) => V): Out
  /** The value of a key, which is set to `value` first where there is none. */
  getOrInsert(key: K, value: V): Out
  /** As `getOrInsert`, with a value that is made only where it is needed; in one step for all threads. */
  getOrInsertComputed(key: K, fn: (key: K) => V): Out
  /**
   * The value of a key. Where there is none `factory` makes it, once, however many calls of all threads ask for it:
   * the others wait for it, without blocking their threads and without holding the map.
   *
   * If `factory` fails, its caller gets the error, and the factory of the next one who waits runs. So it does if the
   * thread ends meanwhile.
   *
   * It rejects with the reason of `signal` when that aborts while it waits for another one's factory; with a
   * DeadlockError when a factory asks for the key that it is to make.
   *
   * @example
   * const user = await users.getOrInsertAsync(id, (id) => database.load(id))
   */
  getOrInsertAsync(key: K, factory: (key: K) => V | PromiseLike<V>, options?: { signal?: AbortSignal }): Promise<Out>
  /** The entries; an object where keys are strings. */
  toJSON(): Record<string, Out> | [K, Out][]
  /** Gives the map up on this thread. It is gone when no thread and no object has it any more. */
  [Symbol.dispose](): void
  readonly [Symbol.toStringTag]: string
}

export interface SharedMapConstructor {
  /**
   * Makes a map, with entries to begin with.
   *
   * @throws TypeError, RangeError, FlatshareError for options that aren't what they should be.
   * @throws HeapFullError
   */
  new <const KT extends SharedType, const VT extends SharedType>(
    options: SharedMapOptions<KT, VT>,
    entries?: Iterable<readonly [ValueIn<KT>, ValueIn<VT>]> | null,
  ): SharedMap<ValueIn<KT>, ValueIn<VT>, ValueOut<VT>>
  new <K, V, Out = DeepReadonly<V>>(
    options: SharedMapOptions<TypeFor<K>, TypeFor<V>>,
    entries?: Iterable<readonly [K, V]> | null,
  ): SharedMap<K, V, Out>
  readonly prototype: SharedMap<any, any, any>
}
