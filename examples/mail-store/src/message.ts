import { Buffer } from 'node:buffer'
import PostalMime, { type Address } from 'postal-mime'
import { baseSubject } from './base-subject.js'
import type { RawMessage } from './mbox.js'
import { findDefect } from './mime-structure.js'
import { parseDate } from './written-date.js'

/** What a message says of itself. */
export interface ParsedMessage {
  /** Where in the archive the message starts; no two messages share it. */
  offset: number
  /** Bytes in the archive. */
  size: number
  /** Without angle brackets, like the ids below. */
  messageId: string | null
  references: readonly string[]
  inReplyTo: string | null
  /** The sender's address in lower case. */
  from: string | null
  fromName: string
  subject: string
  baseSubject: string
  /** An ISO string in UTC; day, weekday (0 is Monday) and hour are those of the sender's own clock. */
  date: string | null
  day: string | null
  weekday: number | null
  hour: number | null
  attachments: number
}

/** A message that can't be taken as mail. */
export interface Failure {
  offset: number
  size: number
  reason: string
}

export type Outcome = ParsedMessage | Failure

export const isFailure = (outcome: Outcome): outcome is Failure => 'reason' in outcome

/** Longer subjects are cut, lest a damaged or hostile header fill the indexes. */
const longestSubject = 1000

/** Parses one message. It never rejects: what can't be parsed is a `Failure`. */
export async function parseMessage({ offset, size, bytes }: RawMessage): Promise<Outcome> {
  const failure = (reason: string): Failure => ({ offset, size, reason })
  if (bytes === null) return failure('too large')
  const defect = findDefect(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  if (defect !== null) return failure(defect)
  try {
    const mail = await PostalMime.parse(bytes)
    const subject = (mail.subject ?? '').replace(/\s+/g, ' ').trim().slice(0, longestSubject)
    const from = mailbox(mail.from)
    const date = parseDate(mail.headers.find(({ key }) => key === 'date')?.value ?? '')
    return {
      offset,
      size,
      messageId: messageIds(mail.messageId)[0] ?? (mail.messageId?.trim() || null),
      references: messageIds(mail.references),
      // What follows the first is more likely an address in prose than another id.
      inReplyTo: messageIds(mail.inReplyTo)[0] ?? null,
      from: from?.address.toLowerCase() || null,
      fromName: from?.name ?? '',
      subject,
      baseSubject: baseSubject(subject),
      date: date?.instant ?? null,
      day: date?.day ?? null,
      weekday: date?.weekday ?? null,
      hour: date?.hour ?? null,
      attachments: mail.attachments.length,
    }
  } catch (error) {
    return failure(error instanceof Error ? error.message : String(error))
  }
}

function mailbox(address: Address | undefined) {
  return address?.group ? address.group[0] : address
}

function messageIds(field = ''): string[] {
  return Array.from(field.matchAll(/<([^<>]+)>/g), ([, id]) => id.replace(/\s+/g, '')).filter((id) => id !== '')
}
