import { open, truncate } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { splitRanges } from '../dist/mbox.js'
import { readRanges } from './read-archive.js'
import { scratchFile } from './scratch-file.js'

const date = 'Mon Jan  1 00:00:00 2024'
const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('latin1')

/** Messages with separators of every kind, and lines that only look like some. */
const archive = [
  '',
  `From a@example.org ${date}`,
  'Subject: one',
  '',
  'From here on this is prose,',
  '',
  'From here on too, as http://example.org shows',
  'http://example.org',
  '>From quoted',
  '>>From twice',
  '> From neither',
  '',
  'From b@example.org', // no date, but blank line before and field after
  'Subject: two',
  '',
  'cut short',
  `From c@example.org ${date}`, // no blank line before
  '',
  `From d@example.org ${date}`,
  'Subject: four',
  '',
  '',
  '',
  'From e@example.org Mon', // cut short
  `From f@example.org ${date}`,
  'Subject: five',
  '',
  'From g@exa', // the file is cut short
].join('\n')

const bodies = [
  'Subject: one\n\nFrom here on this is prose,\n\nFrom here on too, as http://example.org shows\nhttp://example.org\nFrom quoted\n>From twice\n> From neither\n',
  'Subject: two\n\ncut short\n',
  '',
  'Subject: four\n\n\n',
  '',
  'Subject: five\n',
  '',
]

describe.each([
  ['LF', archive, bodies],
  ['CRLF', archive.replaceAll('\n', '\r\n'), bodies.map((body) => body.replaceAll('\n', '\r\n'))],
])('an archive with %s', (_, content, expected) => {
  const size = content.length

  test('comes apart into its messages, without separators and escaping', async () => {
    const messages = await readRanges(scratchFile(content), [{ start: 0, end: size }])
    expect(messages.map(({ bytes }) => text(bytes))).toEqual(expected)
    for (const { offset } of messages) expect(content.slice(offset, offset + 5)).toBe('From ')
    const leadingBlank = content.indexOf('From ')
    expect(messages.reduce((sum, message) => sum + message.size, leadingBlank)).toBe(size)
  })

  test('gives every message once, wherever it is cut in two', async () => {
    const path = scratchFile(content)
    const whole = await readRanges(path, [{ start: 0, end: size }])
    for (let cut = 0; cut <= size; cut++) {
      const ranges = [
        { start: 0, end: cut },
        { start: cut, end: size },
      ]
      expect(await readRanges(path, ranges, { chunkSize: 256 }), `cut at ${cut}`).toEqual(whole)
    }
  })

  test('gives every message once, in up to seven ranges and in chunks of any size', async () => {
    const path = scratchFile(content)
    const whole = await readRanges(path, [{ start: 0, end: size }])
    for (const chunkSize of [1, 2, 3, 7, 64, 1000]) {
      for (let count = 1; count <= 7; count++) {
        expect(await readRanges(path, splitRanges(size, count), { chunkSize }), `${count} × ${chunkSize}`).toEqual(
          whole,
        )
      }
    }
  })

  test('has one message at most for every byte as a range', async () => {
    const path = scratchFile(content)
    expect(await readRanges(path, splitRanges(size, size), { chunkSize: 256 })).toHaveLength(expected.length)
  })
})

test('a message that is larger than the limit is measured, not kept, in chunks of any size', async () => {
  const large = `From a ${date}\nSubject: large\n\n${'x'.repeat(5000)}\n\n`
  const small = `From b ${date}\nSubject: small\n\n`
  const path = scratchFile(small + large + small + large)
  const end = 2 * (small.length + large.length)
  for (const chunkSize of [100, 4096, 1_000_000]) {
    for (const limit of [large.length - 1, large.length]) {
      const messages = await readRanges(path, [{ start: 0, end }], { chunkSize, limit })
      expect(messages.map(({ size }) => size)).toEqual([small.length, large.length, small.length, large.length])
      expect(messages.map(({ bytes }) => bytes === null)).toEqual([
        false,
        limit < large.length,
        false,
        limit < large.length,
      ])
      expect(text(messages[2].bytes)).toBe('Subject: small\n')
    }
  }
})

test('offsets beyond two and four gigabytes', async () => {
  const path = scratchFile(`From a ${date}\nSubject: first\n\n`)
  for (const start of [2 ** 31 + 5, 2 ** 32 + 77]) {
    await truncate(path, start)
    const file = await open(path, 'a')
    await file.write(`\nFrom b ${date}\nSubject: far\n\n`)
    await file.close()
    const [message, ...others] = await readRanges(path, [{ start: start - 1000, end: start + 100 }])
    expect(others).toEqual([])
    expect(message.offset).toBe(start + 1)
    expect(text(message.bytes)).toBe('Subject: far\n')
  }
})

test('ranges cover the file without a gap', () => {
  for (const size of [1, 10, 2 ** 33 + 1]) {
    for (const count of [1, 2, 3, 7, 64]) {
      const ranges = splitRanges(size, count)
      expect(ranges).toHaveLength(count)
      expect(ranges.map(({ start }) => start)).toEqual([0, ...ranges.slice(0, -1).map(({ end }) => end)])
      expect(ranges.at(-1)?.end).toBe(size)
    }
  }
})
