import { ApartmentThreaded, type Latch } from 'flatshare'
import type { BatchIndex } from '../../dist/batch-index.js'
import { MailIndex } from '../../dist/mail-index.js'
import type { Outcome } from '../../dist/message.js'

export type IndexName = 'statistics' | 'senders' | 'days' | 'folders' | 'conversations'

/** A reader that ends at the worst of moments. */
@ApartmentThreaded()
export class DyingReader {
  readonly #index: MailIndex

  constructor(index: MailIndex) {
    if (!(index instanceof MailIndex)) throw new TypeError('An index crosses as itself.')
    this.#index = index
  }

  /** Publishes a share, and stays for ever inside of an index that has all of it, and hasn't noted that. */
  stayIn(name: IndexName, share: number, outcomes: Outcome[], inside: Latch): void {
    const prototype = Object.getPrototypeOf(this.#index[name]) as Pick<BatchIndex, 'add'> & {
      include(batch: unknown): void
    }
    const { include } = prototype
    prototype.include = function (batch) {
      include.call(this, batch)
      inside.countDown()
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    }
    this.#index.add(this.#index.publish(share, outcomes))
  }
}
