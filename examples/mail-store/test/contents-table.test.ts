import { expect, test } from 'vitest'
import { ContentsTable } from '../dist/contents-table.js'
import { MessageRecord } from '../dist/message-record.js'
import { Sender } from '../dist/sender.js'
import { parsedMessage } from './parsed-message.js'

const senders = ['b@example.org', null, 'a@example.org', 'b@example.org']
const messages = senders.map(
  (from, offset) =>
    new MessageRecord(
      parsedMessage({ offset, subject: `${from}`, attachments: offset % 2 }),
      from === null ? null : new Sender(from),
    ),
)
const table = () => new ContentsTable(messages)
const offsets = (rows: { offset: number }[]) => rows.map(({ offset }) => offset)

test.each([
  ['ascending', [2, 0, 3, 1]],
  ['descending', [0, 3, 2, 1]],
] as const)('%s, equal rows keep the order of the archive and what is missing is last', (order, expected) => {
  const sorted = table()
  sorted.sort('from', order)
  expect(offsets(sorted.rows(0, 10))).toEqual(expected)
  expect(offsets(sorted.rows(1, 2))).toEqual(expected.slice(1, 3))
})

test('a restriction replaces the one before', () => {
  const restricted = table()
  restricted.restrict({ from: 'b@example.org', hasAttachments: true })
  expect(offsets(restricted.rows(0, 10))).toEqual([3])
  restricted.restrict({ subject: 'A@Example' })
  expect(restricted.count()).toBe(1)
  restricted.restrict({})
  expect(restricted.count()).toBe(4)
})
