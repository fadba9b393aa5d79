import { FreeThreaded, ref, Shared, SharedMap, Unlocked } from 'flatshare'
import { Batch, failuresKept } from './batch.js'
import { linksOf, makeNodeNumbers, type NodeNumbers, nodeOf } from './conversation-nodes.js'
import { type Conversation, Conversations } from './conversations.js'
import { Days } from './days.js'
import { Folders } from './folders.js'
import { type Failure, isFailure, type Outcome, type ParsedMessage } from './message.js'
import { MessageRecord } from './message-record.js'
import { Senders } from './senders.js'
import { Statistics } from './statistics.js'
import type { Tallied } from './tally.js'

export interface IndexSummary {
  messages: number
  parsed: number
  failed: number
  bytes: number
  /** Messages per day of the week, Monday first, and per hour, by the senders' own clocks. */
  weekdays: number[]
  hours: number[]
  conversations: number
  largestConversations: Conversation[]
  /** How many different addresses mail came from. */
  distinctSenders: number
  senders: Tallied[]
  /** By the senders' own calendars, `YYYY-MM-DD`. */
  days: Tallied[]
  /** The first ones of the archive. */
  failures: Failure[]
}

/**
 * All that is known of the archive, in shared memory: the batches that were read, and the indexes over them. It crosses
 * to other threads as itself; each index has a lock of its own, so that readers seldom meet.
 *
 * What it answers doesn't depend on the order of the batches.
 */
@FreeThreaded({ onAbandoned() {} })
export class MailIndex {
  @Shared(ref(SharedMap)) readonly batches: SharedMap<number, Batch, Batch> = new SharedMap<number, Batch, Batch>({
    key: 'u32',
    value: Batch,
  })
  @Shared(ref(SharedMap)) readonly nodeNumbers: NodeNumbers = makeNodeNumbers()
  @Shared(ref(Statistics)) readonly statistics = new Statistics()
  @Shared(ref(Senders)) readonly senders = new Senders()
  @Shared(ref(Days)) readonly days = new Days()
  @Shared(ref(Folders)) readonly folders = new Folders()
  @Shared(ref(Conversations)) readonly conversations = new Conversations()

  /**
   * Keeps what was found in a share. Whoever is first for a share is who counts, and everybody gets that batch; it isn't
   * in the indexes yet. All work is done before the one step that lets others see it.
   */
  @Unlocked()
  publish(share: number, outcomes: readonly Outcome[]): Batch {
    const messages = outcomes.filter((outcome): outcome is ParsedMessage => !isFailure(outcome))
    const senders = this.senders.find(new Set(messages.flatMap(({ from }) => from ?? [])))
    const records = messages.map((message) => new MessageRecord(message, senders.get(message.from ?? '') ?? null))
    const links = linksOf(messages, this.nodeNumbers)
    return this.batches.getOrInsert(share, new Batch(share, records, links, outcomes.filter(isFailure)))
  }

  /** Adds a batch to every index; those that have it stay as they are. */
  @Unlocked()
  add(batch: Batch): void {
    for (const index of [this.statistics, this.senders, this.days, this.folders, this.conversations]) index.add(batch)
  }

  /** Whether a message with that Message-ID is in. */
  @Unlocked()
  has(messageId: string): boolean {
    const node = this.nodeNumbers.get(nodeOf(messageId))
    return node !== undefined && this.conversations.seen.get(node) === 1
  }

  /** Of all batches, also those whose readers died before they had added them. */
  @Unlocked()
  summarize(limit = 10): IndexSummary {
    const batches = [...this.batches.values()]
    for (const batch of batches) this.add(batch)
    return {
      ...this.statistics.summarize(),
      conversations: this.conversations.count,
      largestConversations: this.conversations.largest(limit),
      ...this.senders.summarize(limit),
      days: this.days.summarize(limit),
      failures: batches
        .flatMap((batch) => batch.failures)
        .sort((a, b) => a.offset - b.offset)
        .slice(0, failuresKept),
    }
  }
}
