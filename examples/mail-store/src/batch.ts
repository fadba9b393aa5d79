import { FreeThreaded, ref, Shared, SharedVector, Unlocked } from 'flatshare'
import type { Failure } from './message.js'
import { MessageRecord } from './message-record.js'
import { recordsByFolder } from './records-by-folder.js'

/**
 * What was found in a share of the archive. It is made by one thread, which then publishes it, whole, in one step; after
 * that it never changes. All indexes are made of batches, and can be made anew of them.
 */
@FreeThreaded({ onAbandoned() {} })
export class Batch {
  /** The number of the share. */
  @Shared('u32') readonly share: number
  @Shared('u32') readonly failed: number
  /** Bytes of the archive, those of failures included. */
  @Shared('f64') readonly bytes: number
  @Shared(ref(SharedVector)) readonly records: SharedVector<MessageRecord, MessageRecord>
  /** What each record belongs together with, as `linksOf` gives it. */
  @Shared(ref(SharedVector)) readonly links: SharedVector<number>
  /** The first ones only. */
  @Shared('json') readonly failures: readonly Failure[]

  constructor(
    share: number,
    records: readonly MessageRecord[],
    links: readonly number[],
    failures: readonly Failure[],
  ) {
    this.share = share
    this.failed = failures.length
    this.bytes = [...records, ...failures].reduce((sum, { size }) => sum + size, 0)
    this.records = new SharedVector<MessageRecord, MessageRecord>({ of: MessageRecord }, records)
    this.links = new SharedVector({ of: 'u32' }, links)
    this.failures = failures.slice(0, failuresKept)
  }

  /** The names of the folders that its messages are in. */
  @Unlocked()
  folders(): string[] {
    return [...recordsByFolder(this.records).keys()]
  }
}

/** More failures than these, of the whole archive, are only counted. */
export const failuresKept = 100
