import { FreeThreaded, Shared, type SharedArray } from 'flatshare'
import type { Batch } from './batch.js'
import { BatchIndex } from './batch-index.js'

/** What is counted over all messages. */
@FreeThreaded()
export class Statistics extends BatchIndex {
  @Shared('u32') parsed = 0
  @Shared('u32') failed = 0
  @Shared('f64') bytes = 0
  /** Monday first. */
  @Shared('u32[7]') readonly weekdays!: SharedArray
  @Shared('u32[24]') readonly hours!: SharedArray

  protected include(batch: Batch): void {
    const records = [...batch.records]
    this.parsed += records.length
    this.failed += batch.failed
    this.bytes += batch.bytes
    const weekdays = this.weekdays.view()
    const hours = this.hours.view()
    for (const { weekday, hour } of records) {
      if (weekday >= 0) weekdays[weekday]++
      if (hour >= 0) hours[hour]++
    }
  }

  protected reset(): void {
    this.parsed = this.failed = this.bytes = 0
    this.weekdays.fill(0)
    this.hours.fill(0)
  }

  summarize() {
    const { parsed, failed, bytes } = this
    const messages = parsed + failed
    return { messages, parsed, failed, bytes, weekdays: this.weekdays.toArray(), hours: this.hours.toArray() }
  }
}
