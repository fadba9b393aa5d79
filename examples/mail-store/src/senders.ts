import { FreeThreaded, locked, ref, Shared, SharedMap, Unlocked } from 'flatshare'
import type { Batch } from './batch.js'
import { BatchIndex } from './batch-index.js'
import { Sender } from './sender.js'
import { countEach, mostSeen, type Tallied } from './tally.js'

/** Who wrote how much. */
@FreeThreaded()
export class Senders extends BatchIndex {
  @Shared(ref(SharedMap)) readonly byAddress: SharedMap<string, Sender, Sender> = new SharedMap<string, Sender, Sender>(
    {
      key: 'string',
      value: Sender,
    },
  )

  /** The senders of some addresses. One that nobody knew before has no messages until they are added. */
  @Unlocked()
  find(addresses: ReadonlySet<string>): Map<string, Sender> {
    return locked(this.byAddress, (known) => {
      const find = (address: string) => known.getOrInsertComputed(address, () => new Sender(address))
      return new Map(Array.from(addresses, (address) => [address, find(address)]))
    })
  }

  protected include(batch: Batch): void {
    const counts = countEach(Array.from(batch.records, ({ sender }) => sender))
    for (const [sender, count] of counts) if (sender) sender.messages += count
  }

  protected reset(): void {
    for (const sender of this.byAddress.values()) sender.messages = 0
  }

  summarize(limit: number): { distinctSenders: number; senders: Tallied[] } {
    // Of a batch whose reader died, and which nobody read again, there may be senders without a message.
    const seen = [...this.byAddress].filter(([, sender]) => sender.messages > 0)
    const counts = seen.map(([address, sender]) => [address, sender.messages] as const)
    return { distinctSenders: counts.length, senders: mostSeen(counts, limit) }
  }
}
