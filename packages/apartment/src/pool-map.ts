/**
 * Working through many items with a pool.
 *
 * Items are pulled while fewer than `concurrency` are worked at and fewer than twice as many were pulled and not yet
 * given out, so a slow reader holds the source back, and one slow item doesn't idle the threads at once.
 *
 * Invariants: the source is asked for one item at a time, and closed once, unless it has ended by itself; nothing is
 * pulled after the first failure; each result is given out once.
 */
import { abortReason } from '@flatshare/core/internal'

/** What `map` gives: an array to be awaited, or results to be iterated as they come. */
export interface PoolMapping<R> extends Pick<Promise<R[]>, 'then' | 'catch' | 'finally'>, AsyncIterable<R> {}

export interface MapSettings {
  readonly concurrency: number
  readonly signal: AbortSignal | undefined
  /** Results in the order of the items; else as they come. */
  readonly ordered: boolean
}

type Items<T> = Iterable<T> | AsyncIterable<T>

class Mapping<T, R> implements AsyncIterator<R> {
  readonly #iterator: AsyncIterator<T> | Iterator<T>
  readonly #results = new Map<number, R>()
  readonly #aborted = () => this.#fail(abortReason(this.settings.signal!))
  #pulled = 0
  #given = 0
  #working = 0
  #pulling = false
  #exhausted = false
  #failure: { readonly error: unknown } | undefined
  #stopped = false
  #wake = () => {}

  constructor(
    items: Items<T>,
    readonly work: (item: T, index: number) => Promise<R>,
    readonly settings: MapSettings,
  ) {
    this.#iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
    const { signal } = settings
    if (signal?.aborted) this.#aborted()
    else signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  async next(): Promise<IteratorResult<R, undefined>> {
    for (;;) {
      if (this.#failure) {
        const { error } = this.#failure
        // The next asker hears that it is over.
        this.#failure = undefined
        throw error
      }
      if (this.#stopped) return { done: true, value: undefined }
      const key = this.settings.ordered ? this.#given : this.#results.keys().next().value
      if (key !== undefined && this.#results.has(key)) {
        const value = this.#results.get(key) as R
        this.#results.delete(key)
        this.#given++
        void this.#pull()
        return { done: false, value }
      }
      if (this.#exhausted && this.#given === this.#pulled) {
        this.#stop()
        continue
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      void this.#pull()
      await woken
    }
  }

  async return(): Promise<IteratorResult<R, undefined>> {
    this.#stop()
    return { done: true, value: undefined }
  }

  async #pull(): Promise<void> {
    const { concurrency } = this.settings
    if (this.#pulling) return
    this.#pulling = true
    try {
      while (
        !this.#exhausted &&
        !this.#stopped &&
        this.#working < concurrency &&
        this.#pulled - this.#given < 2 * concurrency
      ) {
        const step = await this.#iterator.next()
        if (step.done) {
          this.#exhausted = true
          this.#wake()
        } else if (!this.#stopped) void this.#workAt(await step.value, this.#pulled++)
      }
    } catch (error) {
      // A source that throws is closed already.
      this.#exhausted = true
      this.#fail(error)
    } finally {
      this.#pulling = false
    }
  }

  async #workAt(item: T, index: number): Promise<void> {
    this.#working++
    try {
      this.#results.set(index, await this.work(item, index))
    } catch (error) {
      this.#fail(error)
    }
    this.#working--
    this.#wake()
    void this.#pull()
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#failure = { error }
    this.#stop()
  }

  #stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.settings.signal?.removeEventListener('abort', this.#aborted)
    this.#results.clear()
    this.#wake()
    if (this.#exhausted) return
    this.#exhausted = true
    // Not awaited: a source that never gives its next item would hold back whoever stops.
    void (async () => this.#iterator.return?.())().catch(() => {})
  }
}

/** A mapping that begins when it is first awaited or iterated. */
export function mapping<T, R>(
  items: Items<T>,
  work: (item: T, index: number) => Promise<R>,
  settings: MapSettings,
): PoolMapping<R> {
  let all: Promise<R[]> | undefined
  let begun = false
  const begin = () => {
    if (begun) throw new TypeError('This mapping has begun already: it is awaited, or iterated, once.')
    begun = true
    return new Mapping(items, work, settings)
  }
  const collect = async () => {
    const results: R[] = []
    for await (const result of { [Symbol.asyncIterator]: begin }) results.push(result)
    return results
  }
  return {
    // biome-ignore lint/suspicious/noThenProperty: it is a promise of all results, made when it is asked for.
    then: (...reactions) => (all ??= collect()).then(...reactions),
    catch: (reaction) => (all ??= collect()).catch(reaction),
    finally: (reaction) => (all ??= collect()).finally(reaction),
    [Symbol.asyncIterator]: begin,
  }
}
