/**
 * What all indexes have in common: each batch counts in them once, whoever dies when.
 *
 * The threads that read the archive add to the indexes themselves, each index under its own lock. A share is read again
 * when its reader has died; then the batch is in some of the indexes, and perhaps half in one of them:
 *
 *   the reader died                     its batch is                    what happens
 *   before it published the batch       nowhere                         the share is read again
 *   between two indexes                 in some of them                 the next reader adds it; where it is, nothing changes
 *   inside of an index, in `include`    half in that index              who comes to that index next is told by its lock,
 *                                                                       and makes it anew of the batches that were whole
 *
 * Invariant: an index is what `include` makes of the batches in `included`, or its lock is held, or its holder has died.
 */
import { FreeThreaded, ref, Shared, SharedMap } from 'flatshare'
import { Batch } from './batch.js'

@FreeThreaded({ onAbandoned: (index: BatchIndex) => index.rebuild() })
export abstract class BatchIndex {
  @Shared(ref(SharedMap)) readonly included: SharedMap<number, Batch, Batch> = new SharedMap<number, Batch, Batch>({
    key: 'u32',
    value: Batch,
  })

  /** Adds a batch, unless it is in. */
  add(batch: Batch): void {
    const { share } = batch
    if (this.included.has(share)) return
    this.include(batch)
    this.included.set(share, batch)
  }

  /** Makes the index anew. */
  rebuild(): void {
    this.reset()
    for (const batch of this.included.values()) this.include(batch)
  }

  protected abstract include(batch: Batch): void
  /** Forgets what was included. */
  protected abstract reset(): void
}
