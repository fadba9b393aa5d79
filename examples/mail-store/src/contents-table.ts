import type { MessageRecord } from './message-record.js'

/** What a table shows of a message. */
export interface Row {
  offset: number
  size: number
  /** The sender's address. */
  from: string | null
  subject: string
  date: string | null
  attachments: number
}
export type Column = keyof Row

export interface Restriction {
  /** Text that the subject contains, in any case. */
  subject?: string
  /** The sender's address. */
  from?: string
  hasAttachments?: boolean
}

/**
 * A view of a folder's messages: restricted, sorted, read in rows. It is an ordinary object of its thread, that looks at
 * records in shared memory; what is not asked for is not read.
 */
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
        (hasAttachments === undefined || message.attachments > 0 === hasAttachments) &&
        (from === undefined || message.sender?.address === from) &&
        (text === undefined || message.subject.toLowerCase().includes(text)),
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
    const read = columns[column]
    return this.#rows
      .map((message) => ({ message, key: read(message), offset: message.offset }))
      .sort((a, b) => compare(a.key, b.key, descending) || a.offset - b.offset)
      .slice(start, start + limit)
      .map(({ message }) => rowOf(message))
  }
}

const columns: { [C in Column]: (message: MessageRecord) => Row[C] } = {
  offset: (message) => message.offset,
  size: (message) => message.size,
  from: (message) => message.sender?.address ?? null,
  subject: (message) => message.subject,
  date: (message) => message.date,
  attachments: (message) => message.attachments,
}

function rowOf(message: MessageRecord): Row {
  const { offset, size, subject, date, attachments } = message
  return { offset, size, from: columns.from(message), subject, date, attachments }
}

function compare(a: string | number | null, b: string | number | null, descending: boolean): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  return a < b !== descending ? -1 : 1
}
