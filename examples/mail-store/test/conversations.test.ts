import { describe, expect, test } from 'vitest'
import { Conversations, type Threaded } from '../dist/conversations.js'
import { Random } from '../dist/generated/random.js'
import { MailIndex } from '../dist/mail-index.js'
import type { Outcome } from '../dist/message.js'
import { Tally } from '../dist/tally.js'

let offset = 0
const message = (fields: Partial<Threaded>): Threaded => ({
  offset: offset++,
  messageId: null,
  references: [],
  inReplyTo: null,
  subject: fields.baseSubject ?? '',
  baseSubject: '',
  ...fields,
})

/** The conversations in every order of up to six messages. */
function gather(messages: Threaded[]) {
  const [first, ...others] = permutations(messages).map((order) => {
    const conversations = new Conversations()
    for (const each of order) conversations.add(each)
    return { count: conversations.count, largest: conversations.largest(10) }
  })
  for (const other of others) expect(other).toEqual(first)
  expect(first.largest).toHaveLength(first.count)
  return first
}

function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}

describe('messages are one conversation', () => {
  test('when one names the other, or both name a third that was never seen', () => {
    const { count, largest } = gather([
      message({ messageId: 'a', subject: 'start' }),
      message({ messageId: 'b', inReplyTo: 'a' }),
      message({ messageId: 'c', references: ['a', 'missing'] }),
      message({ messageId: 'd', references: ['missing'] }),
      message({ messageId: 'e', inReplyTo: 'elsewhere' }),
    ])
    expect(count).toBe(2)
    expect(largest[0]).toMatchObject({ messages: 4, subject: 'start' })
  })

  test('when they have no such fields and the same base subject, in letters of any case', () => {
    const { count } = gather([
      message({ messageId: 'a', baseSubject: 'Hello' }),
      message({ baseSubject: 'HELLO' }),
      message({ messageId: 'b', baseSubject: 'Hello', inReplyTo: 'elsewhere' }),
      message({ baseSubject: '' }),
      message({ baseSubject: '' }),
    ])
    expect(count).toBe(4)
  })

  test('and copies of a message count once', () => {
    const { count, largest } = gather([
      message({ messageId: 'a', subject: 'x' }),
      message({ messageId: 'a', subject: 'y', references: ['b'] }),
      message({ messageId: 'b', subject: 'z' }),
    ])
    expect({ count, messages: largest[0].messages, subject: largest[0].subject }).toEqual({
      count: 1,
      messages: 2,
      subject: 'x',
    })
  })

  test('an id and a subject of one spelling are different things', () => {
    expect(
      gather([message({ messageId: 'X' }), message({ baseSubject: 'X' }), message({ messageId: 'subject X' })]).count,
    ).toBe(3)
  })
})

test('a chain of a hundred thousand replies', () => {
  const conversations = new Conversations()
  for (let id = 100_000; id > 0; id--) conversations.add(message({ messageId: `${id}`, inReplyTo: `${id - 1}` }))
  expect(conversations.count).toBe(1)
  expect(conversations.largest(1)[0].messages).toBe(100_000)
})

test('a tally orders equals by key', () => {
  const tally = new Tally()
  for (const key of ['b', 'a', 'c', 'Z', 'c', 'ä']) tally.add(key)
  expect(tally.top(4).map(({ key }) => key)).toEqual(['c', 'Z', 'a', 'b'])
  expect(tally.distinct).toBe(5)
})

test('an index answers the same for any order and size of batches', () => {
  const random = new Random(1)
  const outcomes: Outcome[] = Array.from({ length: 1000 }, (_, at) =>
    random.chance(30)
      ? { offset: at, size: 1, reason: 'broken' }
      : {
          ...message({ offset: at, messageId: `${random.below(900)}`, references: [`${random.below(2000)}`] }),
          size: 1,
          from: `${random.below(20)}@x`,
          fromName: '',
          date: null,
          day: `2024-01-${random.between(10, 20)}`,
          weekday: null,
          hour: null,
          attachments: 0,
        },
  )
  const summary = (batch: number) => {
    const index = new MailIndex()
    const left = [...outcomes]
    while (left.length > 0) index.add(left.splice(random.below(left.length), batch))
    return index.summarize()
  }
  const expected = summary(1000)
  expect(expected.failures.map((failure) => failure.offset)).toEqual(
    outcomes
      .filter((outcome) => 'reason' in outcome)
      .slice(0, 100)
      .map((outcome) => outcome.offset),
  )
  for (const batch of [1, 3, 50, 500]) expect(summary(batch)).toEqual(expected)
})
