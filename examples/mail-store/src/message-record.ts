import { FreeThreaded, ref, Shared, Unlocked } from 'flatshare'
import { dayNumber } from './calendar-day.js'
import type { ParsedMessage } from './message.js'
import { Sender } from './sender.js'

/**
 * What the store keeps of a message: one object in shared memory, which any thread reads where it lies. The text of the
 * message stays in the archive; `offset` and `size` say where.
 *
 * Nothing is set after the constructor. So a thread that dies while it has the lock, to read, leaves nothing to mend.
 */
@FreeThreaded({ onAbandoned() {} })
export class MessageRecord {
  /** Where in the archive the message starts; no two messages share it. */
  @Shared('f64') readonly offset: number
  /** Bytes in the archive. */
  @Shared('f64') readonly size: number
  /** Milliseconds since 1970; NaN without a date. */
  @Shared('f64') readonly instant: number
  @Shared('string') readonly subject: string
  /** Of the sender's own calendar, in days since 1970, or `noDay`; weekday (0 is Monday) and hour are -1 then. */
  @Shared('i32') readonly day: number
  /** One object for all messages of an address. */
  @Shared(ref(Sender)) readonly sender: Sender | null
  @Shared('u32') readonly attachments: number
  @Shared('i8') readonly weekday: number
  @Shared('i8') readonly hour: number

  constructor(message: ParsedMessage, sender: Sender | null) {
    this.offset = message.offset
    this.size = message.size
    this.instant = message.date === null ? Number.NaN : Date.parse(message.date)
    this.subject = message.subject
    this.day = dayNumber(message.day)
    this.sender = sender
    this.attachments = message.attachments
    this.weekday = message.weekday ?? -1
    this.hour = message.hour ?? -1
  }

  /** An ISO string in UTC. */
  @Unlocked()
  get date(): string | null {
    return Number.isNaN(this.instant) ? null : new Date(this.instant).toISOString()
  }
}
