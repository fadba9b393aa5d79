import { describe, expect, test } from 'vitest'
import { isFailure, type ParsedMessage, parseMessage } from '../dist/message.js'

const parse = (message: string | string[]) => {
  const bytes = new Uint8Array(Buffer.from(typeof message === 'string' ? message : message.join('\n'), 'latin1'))
  return parseMessage({ offset: 7, size: bytes.length + 40, bytes })
}

async function record(message: string | string[]): Promise<ParsedMessage> {
  const outcome = await parse(message)
  if (isFailure(outcome)) throw new Error(outcome.reason)
  return outcome
}

async function reason(message: string | string[]): Promise<string> {
  const outcome = await parse(message)
  return isFailure(outcome) ? outcome.reason : 'parsed'
}

test('a record of a message', async () => {
  const message = [
    'Message-ID: <a@x>',
    'In-Reply-To: <c@x> from Ben <ben@x>',
    'References: <b@x>',
    '\t<c@x>',
    'From: "Baker, Alice" <Alice@Example.ORG>',
    'Subject: Re: [list]',
    '  Build   fails',
    'Date: Fri, 1 Mar 2024 23:30:00 -0500',
    '',
    'Hello',
  ]
  expect(await record(message)).toEqual({
    offset: 7,
    size: message.join('\n').length + 40,
    messageId: 'a@x',
    references: ['b@x', 'c@x'],
    inReplyTo: 'c@x',
    from: 'alice@example.org',
    fromName: 'Baker, Alice',
    subject: 'Re: [list] Build fails',
    baseSubject: 'Build fails',
    date: '2024-03-02T04:30:00.000Z',
    day: '2024-03-01',
    weekday: 4,
    hour: 23,
    attachments: 0,
  })
})

test('a message that says nothing about itself', async () => {
  expect(await record('X: y\n')).toMatchObject({
    messageId: null,
    references: [],
    inReplyTo: null,
    from: null,
    subject: '',
    date: null,
    weekday: null,
  })
})

test.each([
  ['=?utf-8?Q?caf=C3=A9?=', 'café'],
  ['=?iso-8859-1?Q?caf=E9?=', 'café'],
  ['=?koi8-r?B?8NLJ18XU?=', 'Привет'],
  ['=?iso-2022-jp?B?GyRCJEYkOSRIGyhC?=', 'てすと'],
  ['=?shift_jis?B?g2WDWINn?=', 'テスト'],
  ['Re: =?utf-8?B?w6Q=?=\n =?utf-8?B?w7Y=?=', 'Re: äö'],
])('the subject %j', async (written, subject) => {
  expect((await record(`Subject: ${written}\n\n`)).subject).toBe(subject)
})

test('attachments are counted, also those in nested parts', async () => {
  const file = ['Content-Type: image/png', 'Content-Disposition: attachment; filename=a.png', '', 'x']
  const message = [
    'Content-Type: multipart/mixed; boundary=outer',
    '',
    '--outer',
    'Content-Type: multipart/mixed; boundary="in ner"',
    '',
    '--in ner',
    ...file,
    '--in ner--',
    '--outer',
    ...file,
    '--outer--',
    '',
  ]
  expect(await record(message)).toMatchObject({ attachments: 2 })
})

describe('a multipart message', () => {
  const whole = [
    'Subject: parts',
    'Content-Type: multipart/mixed;',
    '\tcharset="a; boundary=no"; boundary="one"',
    '',
    '--one',
    'Content-Type: Multipart/Alternative; boundary=one-two',
    '',
    '--one-two',
    '',
    '-- ',
    'plain',
    '--one-two',
    'Content-Type: text/html',
    '',
    'html',
    '--one-two--',
    '',
    '--one',
    'Content-Type: message/rfc822',
    '',
    'Content-Type: multipart/mixed; boundary=three',
    '',
    '--three',
    '',
    'cut short',
    '--one--',
    'epilogue',
  ]

  test('is whole when every boundary is closed, also with CRLF and blanks behind boundaries', async () => {
    expect(await reason(whole)).toBe('parsed')
    expect(await reason(whole.join('\r\n'))).toBe('parsed')
    expect(await reason(whole.map((line) => (line.startsWith('--one') ? `${line} \t` : line)))).toBe('parsed')
  })

  test('fails wherever it ends before its closing boundary', async () => {
    const closing = whole.indexOf('--one--')
    for (let lines = 3; lines < whole.length; lines++) {
      expect(await reason(whole.slice(0, lines)), `${lines} lines`).toMatch(
        lines > closing ? /^parsed$/ : /closing boundary/,
      )
    }
    const text = whole.slice(0, closing + 1).join('\n')
    expect(await reason(text.slice(0, -1))).toMatch(/closing boundary "--one--"/)
  })

  test('fails when a part is not closed though the whole is', async () => {
    expect(await reason(whole.filter((line) => line !== '--one-two--'))).toMatch(
      /part ends before its closing boundary "--one-two--"/,
    )
  })

  test('without a declared boundary is read as it stands', async () => {
    expect(await reason('Content-Type: multipart/mixed\n\nbody\n')).toBe('parsed')
  })
})

test('a subject beyond all measure is cut', async () => {
  expect((await record(`Subject: ${'[a] '.repeat(100_000)}\n\n`)).subject).toHaveLength(1000)
})

test.each([
  ['nothing', '', 'empty message'],
  ['a blank line', '\n', 'empty message'],
  ['a body alone', '\nbody\n', 'no header'],
  ['prose', 'Dear all,\n', 'no header'],
  ['a line between fields that is none', 'Subject: x\nprose\nTo: y\n\n', 'malformed header: line 2 is not a field'],
  ['a continuation of nothing', ' Subject: x\n\n', 'no header'],
])('%s is no message', async (_, message, expected) => {
  expect(await reason(message)).toBe(expected)
})

test('an envelope line that an old transport left in the header does no harm', async () => {
  expect(await record('From a@b Mon Jan  1 00:00:00 2024\nSubject: x\n\n')).toMatchObject({ subject: 'x' })
})

test('what the reader found too large, and what the parser refuses, fails', async () => {
  expect(await parseMessage({ offset: 3, size: 9, bytes: null })).toEqual({ offset: 3, size: 9, reason: 'too large' })
  expect(await reason(`Subject: ${'x'.repeat(3_000_000)}\n\n`)).toMatch(/header size/i)
})
