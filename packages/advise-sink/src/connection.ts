import { ApartmentThreaded } from '@flatshare/apartment'
import { FlatshareError } from '@flatshare/core'
import type { Subscription } from './subscription.js'

/**
 * What `advise` gives: the way to end it. It lives beside its source; other threads hold a proxy, with the
 * same methods.
 *
 * @example
 * await using connection = await store.advise('objectCreated', onCreated)
 */
export class AdviseConnection implements AsyncDisposable {
  readonly #subscription: Subscription
  #spent = false

  constructor(subscription: Subscription) {
    this.#subscription = subscription
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
    this.#subscription.end()
    await this.#subscription.over()
  }
}

// A second call must not wait behind one that waits for the sink.
ApartmentThreaded({ name: 'AdviseConnection', interleaved: true })(AdviseConnection)
