import { Apartment, Latch } from 'flatshare'
import { expect, test } from 'vitest'
import { Random } from '../dist/generated/random.js'
import { MailIndex } from '../dist/mail-index.js'
import type { Outcome } from '../dist/message.js'
import { parsedMessage } from './parsed-message.js'
import type { IndexName } from './threads/dying-reader.js'

const random = new Random(1)
const outcomes: Outcome[] = Array.from({ length: 1000 }, (_, offset) =>
  random.chance(30)
    ? { offset, size: 1, reason: 'broken' }
    : parsedMessage({
        offset,
        messageId: `${random.below(900)}`,
        references: [`${random.below(2000)}`],
        from: random.chance(90) ? `${random.below(20)}@x` : null,
        day: random.chance(90) ? `${random.between(2020, 2024)}-01-${random.between(10, 20)}` : null,
        weekday: random.below(7),
        hour: random.below(24),
      }),
)

/** The index of all outcomes, which come in batches of a size, in an order of their own. */
function indexed(batch: number): MailIndex {
  const index = new MailIndex()
  const left = [...outcomes]
  for (let share = 0; left.length > 0; share++) {
    index.add(index.publish(share, left.splice(random.below(left.length), batch)))
  }
  return index
}

/** All that the index says. */
function said(index: MailIndex) {
  const summary = index.summarize()
  const folders = index.folders.names().map((name) => {
    const table = index.folders.open(name).contentsTable()
    return { name, rows: table.rows(0, table.count()) }
  })
  return { summary, folders }
}

const expected = said(indexed(1000))

test('the index counts what a plain loop counts', () => {
  const messages = outcomes.flatMap((outcome) => ('reason' in outcome ? [] : [outcome]))
  const { summary, folders } = expected
  expect(summary).toMatchObject({
    messages: outcomes.length,
    parsed: messages.length,
    failed: outcomes.length - messages.length,
    bytes: outcomes.length,
    weekdays: Array.from({ length: 7 }, (_, day) => messages.filter(({ weekday }) => weekday === day).length),
    hours: Array.from({ length: 24 }, (_, hour) => messages.filter((message) => message.hour === hour).length),
    distinctSenders: new Set(messages.flatMap(({ from }) => from ?? [])).size,
  })
  for (const { key, count } of summary.senders) expect(messages.filter(({ from }) => from === key)).toHaveLength(count)
  for (const { key, count } of summary.days) expect(messages.filter(({ day }) => day === key)).toHaveLength(count)
  expect(summary.failures).toEqual(outcomes.filter((outcome) => 'reason' in outcome).slice(0, 100))
  for (const { name, rows } of folders) {
    const year = messages.filter(({ day }) => (day?.slice(0, 4) ?? 'undated') === name)
    expect(rows.map(({ offset, from }) => [offset, from])).toEqual(year.map(({ offset, from }) => [offset, from]))
  }
  expect(folders.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(messages.length)
})

test('an index answers the same for any order and size of batches', () => {
  for (const batch of [1, 3, 50, 500]) expect(said(indexed(batch))).toEqual(expected)
})

test('a share that is read again changes nothing, even if it looks different then', () => {
  const index = new MailIndex()
  const first = index.publish(0, outcomes)
  index.add(first)
  const again = index.publish(0, outcomes.slice(1))
  expect(again).toBe(first)
  index.add(again)
  expect(said(index)).toEqual(expected)
})

test('batches whose readers died before they had added them are added by who asks', () => {
  const index = new MailIndex()
  index.publish(0, outcomes.slice(0, 500))
  index.publish(1, outcomes.slice(500))
  expect(said(index)).toEqual(expected)
})

test.each<IndexName>(['statistics', 'senders', 'days', 'folders', 'conversations'])(
  'a reader that dies inside of %s leaves nothing behind but its batch, which counts once',
  async (name) => {
    const index = new MailIndex()
    index.add(index.publish(0, outcomes.slice(0, 300)))
    await using apartment = await Apartment.open<typeof import('./threads/dying-reader.js')>(
      new URL('./threads/dying-reader.js', import.meta.url),
      { name: 'dying reader' },
    )
    const reader = await apartment.create('DyingReader', index)
    const inside = new Latch(1)
    const stays = reader.stayIn(name, 1, outcomes.slice(300, 600), inside).catch((error: unknown) => error)
    await inside.wait()
    await apartment.terminate()
    await stays
    index.add(index.publish(2, outcomes.slice(600)))
    expect(said(index)).toEqual(expected)
  },
)
