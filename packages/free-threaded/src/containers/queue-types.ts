/** What a `SharedQueue` promises; its class is in `queue.ts`. */
import { type CrossesAsItself, FlatshareError } from '@flatshare/core'
import type { AwaitOptions } from '@flatshare/sync'
import type { DeepReadonly, SharedType, TypeFor, ValueIn, ValueOut } from '../cells/value-types.js'

/** Something was put into a `SharedQueue` that was closed before: it is not in the queue. */
export class QueueClosedError extends FlatshareError {
  override readonly name: string = 'QueueClosedError'
}

/** How to make a `SharedQueue`. */
export interface SharedQueueOptions<T = SharedType> {
  /** The type of its elements: any type that a `@Shared` field has. */
  readonly of: T
  /** How many elements there may be at once: 1 to 2²⁴. Memory for them is taken when the queue is made. */
  readonly capacity: number
  /** What errors and `console.log` call it, on all threads. */
  readonly name?: string
}

/**
 * A queue between threads: any number of them put elements in, any number take them out, first in, first
 * out, each element once.
 *
 * It is bounded: who puts into a full one waits for room, so producers can't run ahead of consumers. Wait
 * awaiting (`put`, `take`), blocking (`putSync`, `takeSync`), or not at all (`tryPut`, `tryTake`). Those who
 * wait are served in the order of their coming, blocking and awaiting ones alike, and nobody passes one who
 * can come. Who awaits on a thread that is blocked meanwhile is passed over until it isn't.
 *
 * When a thread ends, however it ends, nothing is half put and nothing comes twice: what was kept for it
 * goes to the next one. An element that it had taken is gone with it, like any other value of its own.
 *
 * After `close` nothing more can be put; takers get what is left, then `undefined`, and iteration ends. So
 * `undefined` can't be an element.
 *
 * Each operation is one step for all threads, and none takes the lock of the object: `locked(queue, …)` holds
 * nobody off. It crosses to other threads like any free-threaded object: `marshal`, an argument, a field
 * `ref(SharedQueue)`.
 *
 * @example
 * const jobs = new SharedQueue({ of: 'json', capacity: 1024 })
 * await jobs.put({ url })                              // one thread
 * for await (const job of jobs) await fetch(job.url)   // others
 */
export interface SharedQueue<V, Out = DeepReadonly<V>>
  extends Iterable<Out>,
    AsyncIterable<Out>,
    Disposable,
    CrossesAsItself {
  /** As given; '' without a name. */
  readonly name: string
  /** How many elements there may be at once. */
  readonly capacity: number
  /** How many elements there are. It may be otherwise by the time that you look at the answer. */
  readonly size: number
  /** Whether it was closed. There may be elements left. */
  readonly isClosed: boolean
  /**
   * Puts an element in, once there is room. While it waits, it keeps the process alive. Giving up by `signal`
   * or `timeout` leaves no trace.
   *
   * It rejects with a QueueClosedError when the queue is closed, before or meanwhile; with a TimeoutError (a
   * DOMException) after `timeout` milliseconds; with the signal's reason when that aborts; with a TypeError,
   * RangeError or FlatshareError for a value that the type doesn't take; with a HeapFullError.
   *
   * The value is read before this returns: what becomes of it later doesn't matter.
   */
  put(value: V, options?: AwaitOptions): Promise<void>
  /**
   * As `put`, and blocks the thread meanwhile; without a `timeout`, for ever.
   *
   * @throws QueueClosedError, TimeoutError (a DOMException), TypeError, RangeError, HeapFullError as `put`.
   * @throws CannotBlockError where the thread may not block and there is no room within a millisecond.
   */
  putSync(value: V, options?: Pick<AwaitOptions, 'timeout'>): void
  /**
   * Puts an element in if there is room that nobody waits for; else gives false, at once.
   *
   * @throws QueueClosedError, TypeError, RangeError, HeapFullError as `put`.
   */
  tryPut(value: V): boolean
  /**
   * Takes the oldest element, once there is one; `undefined` when the queue is closed and nothing is left.
   * It waits and gives up as `put` does.
   */
  take(options?: AwaitOptions): Promise<Out | undefined>
  /**
   * As `take`, and blocks the thread meanwhile; without a `timeout`, for ever.
   *
   * @throws TimeoutError (a DOMException) after `timeout` milliseconds.
   * @throws CannotBlockError where the thread may not block and no element comes within a millisecond.
   */
  takeSync(options?: Pick<AwaitOptions, 'timeout'>): Out | undefined
  /** Takes the oldest element if there is one that nobody waits for; else gives undefined, at once. */
  tryTake(): Out | undefined
  /** Takes the elements that are there, `most` at most, without waiting. */
  drain(most?: number): Out[]
  /** From now on nothing can be put; who waits to put is refused. Twice is harmless. */
  close(): void
  /** The elements of this moment, oldest first; they stay in the queue. */
  [Symbol.iterator](): IterableIterator<Out>
  /** Takes elements until the queue is closed and nothing is left. Several iterators share the elements. */
  [Symbol.asyncIterator](): AsyncGenerator<Out, void, undefined>
  /** The elements of this moment. */
  toJSON(): Out[]
  /** Gives the queue up on this thread. It is gone when no thread and no object has it any more. */
  [Symbol.dispose](): void
  readonly [Symbol.toStringTag]: string
}

export interface SharedQueueConstructor {
  /**
   * Makes an empty queue.
   *
   * @throws TypeError, RangeError, FlatshareError for options that aren't what they should be.
   * @throws HeapFullError
   */
  new <const T extends SharedType>(options: SharedQueueOptions<T>): SharedQueue<ValueIn<T>, ValueOut<T>>
  new <V>(options: SharedQueueOptions<TypeFor<V>>): SharedQueue<V>
  readonly prototype: SharedQueue<any, any>
}
