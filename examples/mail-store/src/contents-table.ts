import { ApartmentThreaded } from 'flatshare'
import type { MessageRecord } from './message.js'

/** What a table shows of a message. */
export type Row = Pick<MessageRecord, 'offset' | 'size' | 'from' | 'subject' | 'date' | 'attachments'>
export type Column = keyof Row

export interface Restriction {
  /** Text that the subject contains, in any case. */
  subject?: string
  /** The sender's address. */
  from?: string
  hasAttachments?: boolean
}

/** A view of a folder's messages: restricted, sorted, read in rows. */
@ApartmentThreaded()
export class ContentsTable {
  readonly #all: readonly MessageRecord[]
  #rows: readonly MessageRecord[]
  #sorting: { column: Column; descending: boolean } = { column: 'offset', descending: false }

  constructor(messages: readonly MessageRecord[]) {
    this.#all = messages
    this.#rows = messages
  }

  restrict({ subject, from, hasAttachments }: Restriction): void {
    const text = subject?.toLowerCase()
    this.#rows = this.#all.filter(
      (message) =>
        (text === undefined || message.subject.toLowerCase().includes(text)) &&
        (from === undefined || message.from === from) &&
        (hasAttachments === undefined || message.attachments > 0 === hasAttachments),
    )
  }

  sort(column: Column, order: 'ascending' | 'descending' = 'ascending'): void {
    this.#sorting = { column, descending: order === 'descending' }
  }

  count(): number {
    return this.#rows.length
  }

  /** Rows from `start` on, at most `limit`; equal ones in the order of the archive, what is missing last. */
  rows(start: number, limit: number): Row[] {
    const { column, descending } = this.#sorting
    return [...this.#rows]
      .sort((a, b) => compare(a[column], b[column], descending) || a.offset - b.offset)
      .slice(start, start + limit)
      .map(({ offset, size, from, subject, date, attachments }) => ({ offset, size, from, subject, date, attachments }))
  }
}

function compare(a: string | number | null, b: string | number | null, descending: boolean): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  return a < b !== descending ? -1 : 1
}
