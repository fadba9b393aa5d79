import { ApartmentThreaded } from 'flatshare'
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

/** Messages in the order in which they came, of which there may be more later. */
export interface MessageList extends Iterable<MessageRecord> {
  readonly length: number
  at(index: number): MessageRecord | undefined
}

/**
 * A view of a folder's messages: restricted, sorted, read in rows. It shows what was there when it was opened, or
 * refreshed. It looks at records in shared memory; what is not asked for is not read.
 *
 * It lives on the thread that opened it; others use it through a proxy. As it isn't thread-aware, it has one restriction,
 * one order and one position, whoever calls: threads that share a table read on where another one has stopped. Whoever
 * wants a position of its own opens a table of its own: `session.cursor.table(folder)`.
 */
@ApartmentThreaded()
export class ContentsTable {
  readonly #list: MessageList
  #all: readonly MessageRecord[]
  #rows: readonly MessageRecord[]
  #restriction: Restriction = {}
  #sorting: { column: Column; descending: boolean } = { column: 'offset', descending: false }
  #position = 0

  constructor(messages: MessageList) {
    this.#list = messages
    this.#all = [...messages]
    this.#rows = this.#all
  }

  /** Shows what has come since as well, under the same restriction. Answers how many messages there are in all. */
  refresh(): number {
    const known = this.#all.length
    const { length } = this.#list
    if (length < known) this.#all = [...this.#list]
    else if (length > known) {
      const more = Array.from({ length: length - known }, (_, index) => this.#list.at(known + index))
      this.#all = [...this.#all, ...more.filter((message) => message !== undefined)]
    }
    this.restrict(this.#restriction)
    return length
  }

  restrict(restriction: Restriction): void {
    this.#restriction = restriction
    const { subject, from, hasAttachments } = restriction
    const text = subject?.toLowerCase()
    if (subject === undefined && from === undefined && hasAttachments === undefined) this.#rows = this.#all
    else
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

  /** Lets `next` go on with the row of that number. */
  seek(row: number): void {
    this.#position = row
  }

  /** The rows from the table's position on, at most `limit`; it goes on behind them. */
  next(limit: number): Row[] {
    const rows = this.rows(this.#position, limit)
    this.#position += rows.length
    return rows
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
