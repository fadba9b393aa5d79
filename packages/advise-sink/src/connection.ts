import { ApartmentThreaded } from '@flatshare/apartment'
import { FlatshareError } from '@flatshare/core'

/** What a connection ends. */
export interface Connected {
  /** At once. */
  end(): void
  /** Resolves when the call in progress is over. Call `end` before. */
  over(): Promise<void>
}

/**
 * What `advise` gives: the way to end it. It lives beside its source; other threads hold a proxy, with the
 * same methods.
 *
 * @example
 * await using connection = await store.advise('objectCreated', onCreated)
 */
export class AdviseConnection implements AsyncDisposable {
  readonly #connected: Connected
  #spent = false

  constructor(connected: Connected) {
    this.#connected = connected
  }

  /**
   * Ends it. Once this has resolved, the sink is never called again and a call in progress has returned;
   * what was raised and not delivered is dropped. From inside the sink's own call it resolves at once, and
   * that call is the last one.
   *
   * @throws FlatshareError the second time.
   */
  async unadvise(): Promise<void> {
    if (this.#spent) throw new FlatshareError('This advise connection is spent: it was unadvised before.')
    await this[Symbol.asyncDispose]()
  }

  /** As `unadvise`; once more does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#spent = true
    this.#connected.end()
    await this.#connected.over()
  }
}

// A second call must not wait behind one that waits for the sink.
ApartmentThreaded({ name: 'AdviseConnection', interleaved: true })(AdviseConnection)
