/**
 * Notifications as an async iterator.
 *
 *   open      advised; a batch that has come waits for the loop, and the sink's call with it, so that all else waits in
 *             the source's queue, under its policy
 *   ended     the connection is at its end; what has come can still be read
 *   failed    the signal has fired, `advise` has failed, or the source's thread has ended: told once, after what has come
 */
import { isProxy, onGone } from '@flatshare/apartment/internal'
import { DisconnectedError } from '@flatshare/core'
import { abortReason, holdOpen } from '@flatshare/core/internal'
import type { AdviseOptions } from './notification.js'
import { type AdviseProvider, type Ending, type NotificationOf, requireProvider } from './provider.js'

/** How to iterate. */
export type OnOptions<N = any> = Omit<AdviseOptions<N>, 'onError'>

/**
 * The notifications of a source, one after the other, from now on: `for await (const { payload } of on(store, 'created'))`.
 *
 * It advises at once; until the loop takes them, notifications wait in a queue as those of any slow sink. Leaving the loop
 * unadvises; when the connection is ended otherwise, the loop ends. When `signal` aborts, the loop throws its reason, after
 * what has come by then.
 *
 * While somebody waits for the next one, it keeps the process alive.
 *
 * @param source a source, or an object with a method `advise` that passes on to one; also by proxy.
 * @throws as `advise`: at once where the source is of this thread, else from the loop.
 * @example
 * for await (const { payload } of on(store, 'objectCreated', { signal })) console.log(payload.name)
 */
export function on<P extends AdviseProvider, E extends NotificationOf<P>['event']>(
  source: P,
  events: E | readonly E[] | '*',
  options: OnOptions<Extract<NotificationOf<P>, { readonly event: E }>> = {},
): AsyncIterableIterator<Extract<NotificationOf<P>, { readonly event: E }>> & AsyncDisposable {
  requireProvider(source, 'on')
  return new Notifications(source, events, options as OnOptions) as never
}

interface Waiter {
  resolve(result: IteratorResult<unknown>): void
  reject(error: unknown): void
}

class Notifications implements AsyncIterableIterator<unknown>, AsyncDisposable {
  readonly #connection: Promise<Ending | undefined>
  readonly #signal: AbortSignal | undefined
  readonly #waiters: Waiter[] = []
  #batch: readonly unknown[] = []
  #next = 0
  /** Lets the sink return. */
  #taken = () => {}
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #release: (() => void) | undefined
  readonly #abort = () => {
    this.#fail(abortReason(this.#signal!))
    void this.#unadvise()
  }

  constructor(source: AdviseProvider, events: unknown, { signal, ...options }: OnOptions) {
    signal?.throwIfAborted()
    this.#signal = signal
    signal?.addEventListener('abort', this.#abort, { once: true })
    const sink = {
      onNotify: (batch: readonly unknown[]) => this.#come(batch),
      onUnadvised: () => this.#end(),
    }
    const advised = source.advise(events, sink, options)
    this.#connection = Promise.resolve(advised).then(
      (connection) => {
        if (isProxy(connection))
          onGone(connection, () => this.#fail(new DisconnectedError("The source's thread has ended.")))
        return connection
      },
      (error: unknown) => {
        this.#fail(error)
        return undefined
      },
    )
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#next < this.#batch.length && this.#waiters.length === 0) {
      const value = this.#batch[this.#next++]
      if (this.#next === this.#batch.length) this.#taken()
      return Promise.resolve({ done: false, value })
    }
    if (this.#failure) {
      const { error } = this.#failure
      this.#failure = undefined
      this.#ended = true
      return Promise.reject(error as Error)
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    this.#release ??= holdOpen()
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    this.#batch = []
    this.#next = 0
    this.#failure = undefined
    this.#end()
    await this.#unadvise()
    return { done: true, value }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #come(batch: readonly unknown[]): Promise<void> | undefined {
    if (this.#ended || this.#failure) return undefined
    this.#batch = batch
    this.#next = 0
    while (this.#waiters.length > 0 && this.#next < batch.length) {
      this.#waiters.shift()!.resolve({ done: false, value: batch[this.#next++] })
    }
    this.#letGo()
    if (this.#next === batch.length) return undefined
    return new Promise((resolve) => {
      this.#taken = resolve
    })
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#close()
    for (const { resolve } of this.#waiters.splice(0)) resolve({ done: true, value: undefined })
    this.#letGo()
  }

  #fail(error: unknown): void {
    if (this.#ended || this.#failure) return
    this.#failure = { error }
    this.#close()
    const first = this.#waiters.shift()
    if (first) {
      this.#failure = undefined
      this.#ended = true
      first.reject(error)
      for (const { resolve } of this.#waiters.splice(0)) resolve({ done: true, value: undefined })
    }
    this.#letGo()
  }

  #close(): void {
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#taken()
  }

  /** Nobody waits any more. */
  #letGo(): void {
    if (this.#waiters.length > 0) return
    this.#release?.()
    this.#release = undefined
  }

  async #unadvise(): Promise<void> {
    try {
      await (await this.#connection)?.unadvise()
    } catch {
      // It was ended before, or its thread has.
    }
  }
}
