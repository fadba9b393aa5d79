import { FreeThreaded, ref, Shared, SharedMap } from 'flatshare'
import type { Batch } from './batch.js'
import { BatchIndex } from './batch-index.js'
import { dayName, noDay } from './calendar-day.js'
import { countEach, mostSeen, type Tallied } from './tally.js'

/** How many messages were written on each day, by their senders' own calendars. */
@FreeThreaded()
export class Days extends BatchIndex {
  @Shared(ref(SharedMap)) readonly counts: SharedMap<number, number> = new SharedMap({ key: 'i32', value: 'u32' })

  protected include(batch: Batch): void {
    for (const [day, count] of countEach(Array.from(batch.records, ({ day }) => day))) {
      if (day !== noDay) this.counts.update(day, (before = 0) => before + count)
    }
  }

  protected reset(): void {
    this.counts.clear()
  }

  summarize(limit: number): Tallied[] {
    return mostSeen(
      Array.from(this.counts, ([day, count]) => [dayName(day), count]),
      limit,
    )
  }
}
