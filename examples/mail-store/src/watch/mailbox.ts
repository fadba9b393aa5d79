import {
  type CrossesAsItself,
  type crossesAsItself,
  FreeThreaded,
  ref,
  Shared,
  SharedVector,
  Unlocked,
} from 'flatshare'
import { MailIndex } from '../mail-index.js'
import { isFailure, type Outcome } from '../message.js'
import { MessageRecord } from '../message-record.js'

/**
 * The mail of one watched file, in shared memory: whoever hears of it on whatever thread looks at the messages
 * themselves. When the file begins anew, another mailbox takes its place, and this one stays as it was.
 */
@FreeThreaded({ module: import.meta.url, onAbandoned() {} })
export class Mailbox implements CrossesAsItself {
  declare readonly [crossesAsItself]?: true
  /** Of its file. */
  @Shared('string') readonly name: string
  @Shared(ref(MailIndex)) readonly index = new MailIndex()
  /** In the order of the file. */
  @Shared(ref(SharedVector)) readonly messages: SharedVector<MessageRecord, MessageRecord> = new SharedVector<
    MessageRecord,
    MessageRecord
  >({ of: MessageRecord })
  /** Messages that could not be parsed. */
  @Shared('u32') failed = 0
  /** Messages that came while it was watched. */
  @Shared('u32') arrived = 0
  @Shared('u32') batches = 0

  constructor(name: string) {
    this.name = name
  }

  /** Adds what was found in the file, of which `arrived` messages are news. The thread that watches it does so alone. */
  @Unlocked()
  add(outcomes: readonly Outcome[], arrived: number): void {
    const batch = this.index.publish(this.batches++, outcomes)
    this.index.add(batch)
    this.messages.push(...batch.records)
    this.failed += outcomes.filter(isFailure).length
    this.arrived += arrived
  }
}
