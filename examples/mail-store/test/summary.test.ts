import { expect, test } from 'vitest'
import { type Report, toJson } from '../dist/report.js'
import { summarize } from '../dist/summary.js'

const report: Report = {
  source: 'mail.mbox',
  cancelled: false,
  messages: 1234,
  parsed: 1232,
  failed: 2,
  bytes: 5_000_000,
  conversations: 300,
  largestConversations: [{ subject: 'Re: \u001b[31mred\u202e', offset: 0, messages: 12 }],
  distinctSenders: 2,
  senders: [
    { key: 'a@example.org', count: 1000 },
    { key: 'b@example.org', count: 7 },
  ],
  days: [{ key: '2024-03-01', count: 20 }],
  failures: [{ offset: 99, size: 5, reason: 'empty message' }],
  weekdays: [700, 100, 100, 100, 100, 100, 32],
  hours: Array.from({ length: 24 }, (_, hour) => hour),
  folders: [
    {
      name: '2024',
      messages: 1232,
      withAttachments: 3,
      largest: [{ offset: 7, size: 70_000, from: 'a@example.org', subject: 'The plan', date: null, attachments: 1 }],
    },
  ],
  threads: 2,
  processes: false,
  perThread: [600, 634],
  seconds: 0.5,
  oneThreadSeconds: 0.9,
}

test('the summary says what there is', () => {
  const text = summarize(report)
  for (const line of [
    /^messages +1,234$/m,
    /^conversations +300$/m,
    /^ {2}at byte 99: empty message$/m,
    /^ {2}and 1 more$/m,
    /^ {2}a@example\.org +1,000$/m,
    /^ {2}2024 +1,232, 3 with attachments$/m,
    /^ {2}The plan +70,000$/m,
    /^ {2}Mon +700 +█{40}$/m,
    /^ {2}thread 2 +634 +█{40}$/m,
    /2 threads: 0\.50 s, 2,468 messages a second/,
    /one thread alone: 0\.90 s: 1\.80 times as long/,
  ]) {
    expect(text).toMatch(line)
  }
})

test('only colour is an escape sequence: text from mail cannot write one, nor turn the line round', () => {
  for (const control of ['\u001b', '\u202e']) expect(summarize(report)).not.toContain(control)
  expect(summarize(report, true)).toContain('\u001b[1mBusiest senders\u001b[22m')
})

test('numbers stand below each other also beside names of East Asian letters', () => {
  const senders = [
    { key: 'ビルド', count: 5 },
    { key: 'abcdef', count: 7 },
    { key: 'e\u0301', count: 8 },
  ]
  expect(summarize({ ...report, senders })).toContain('Busiest senders\n  ビルド  5\n  abcdef  7\n  e\u0301       8\n')
})

test('an archive without anything to list', () => {
  const empty = {
    ...report,
    failures: [],
    failed: 0,
    largestConversations: [],
    senders: [],
    days: [],
    folders: [],
    oneThreadSeconds: null,
    seconds: 0,
  }
  expect(summarize({ ...empty, cancelled: true })).toMatch(/^mail\.mbox \(cancelled/)
  expect(summarize(empty)).not.toMatch(/Failed\n|Busiest|NaN|Infinity/)
})

test('the document of --json', () => {
  expect(JSON.parse(toJson(report))).toMatchObject({
    messages: 1234,
    parsed: 1232,
    failed: 2,
    conversations: 300,
    senders: [
      { address: 'a@example.org', count: 1000 },
      { address: 'b@example.org', count: 7 },
    ],
    bytes: 5_000_000,
    threads: 2,
    perThread: [600, 634],
    seconds: 0.5,
    failures: [{ offset: 99, size: 5, reason: 'empty message' }],
  })
})
