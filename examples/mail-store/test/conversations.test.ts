import { describe, expect, test } from 'vitest'
import { Random } from '../dist/generated/random.js'
import { MailIndex } from '../dist/mail-index.js'
import type { ParsedMessage } from '../dist/message.js'
import { mostSeen } from '../dist/tally.js'
import { parsedMessage as message } from './parsed-message.js'

function conversationsOf(batches: ParsedMessage[][]) {
  const index = new MailIndex()
  for (const [share, batch] of batches.entries()) index.add(index.publish(share, batch))
  return index.conversations
}

/** The conversations in every order of up to six messages. */
function gather(messages: ParsedMessage[]) {
  const [first, ...others] = permutations(messages).map((order) => {
    const conversations = conversationsOf(order.map((each) => [each]))
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
  const chain = Array.from({ length: 100_000 }, (_, at) =>
    message({ messageId: `${100_000 - at}`, inReplyTo: `${99_999 - at}` }),
  )
  const conversations = conversationsOf([chain])
  expect(conversations.count).toBe(1)
  expect(conversations.largest(1)[0].messages).toBe(100_000)
})

test('conversations are what is connected, for messages that refer to each other at random', () => {
  const random = new Random(7)
  for (let round = 0; round < 20; round++) {
    const id = () => `${random.below(60)}`
    const messages = Array.from({ length: 40 }, () =>
      message({ messageId: id(), references: [id(), id()].slice(random.below(3)) }),
    )
    // By relabelling: every message gives all that it names one label.
    const labels = new Map<string, string>()
    const labelOf = (name: string) => labels.get(name) ?? name
    for (const { messageId, references } of messages) {
      const joined = new Set([messageId!, ...references].map(labelOf))
      for (const name of [...labels.keys(), messageId!, ...references]) {
        if (joined.has(labelOf(name))) labels.set(name, labelOf(messageId!))
      }
    }
    const groups = new Map<string, ParsedMessage[]>()
    for (const each of messages)
      groups.set(labelOf(each.messageId!), [...(groups.get(labelOf(each.messageId!)) ?? []), each])
    const wanted = [...groups.values()].map((group) => ({
      offset: Math.min(...group.map(({ offset }) => offset)),
      messages: new Set(group.map(({ messageId }) => messageId)).size,
      subject: '',
    }))
    wanted.sort((a, b) => b.messages - a.messages || a.offset - b.offset)
    const half = random.below(40)
    expect(conversationsOf([messages.slice(half), messages.slice(0, half)]).largest(100)).toEqual(wanted)
  }
})

test('a tally orders equals by key', () => {
  const counts = new Map([...'bac', 'Z', 'ä'].map((key) => [key, key === 'c' ? 2 : 1]))
  expect(mostSeen(counts, 4).map(({ key }) => key)).toEqual(['c', 'Z', 'a', 'b'])
})
