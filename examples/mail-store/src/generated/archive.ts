/**
 * An archive of mail that never was: lists, people, threads of replies, attachments, several charsets and
 * encodings. It is the same on every machine, byte for byte, and none of its messages is damaged.
 */
import { Buffer } from 'node:buffer'
import { escapeFrom } from '../from-escaping.js'
import { charsetFor, composeBody } from './compose.js'
import { hourOf, mailDate, separatorDate } from './dates.js'
import { invitePeople, type Person } from './people.js'
import { paragraphs, topic } from './phrases.js'
import { Random } from './random.js'
import { headerText } from './transfer.js'

const lists = ['announce', 'core', 'dev', 'docs', 'help', 'release']

interface Sent {
  id: string
  references: string[]
  subject: string
  list: string
  author: Person
  text: string
}

/** The archive's messages in mboxrd form, each with its separator line. */
export function* generateArchive(messages = 20_000): Generator<Buffer, void, void> {
  const random = new Random(20_000)
  const people = invitePeople(random, 150)
  const recent: Sent[] = []
  let clock = Date.UTC(2021, 0, 4, 7) / 1000
  for (let index = 0; index < messages; index++) {
    clock += random.between(60, 7500) * (isWeekend(clock) ? 3 : 1)
    const answered = recent.length > 0 && random.chance(72) ? random.pick(recent) : null
    const author = whoIsAwake(random, people, clock)
    const sent = answered ? reply(random, author, answered, index) : begin(random, author, index)
    recent[index % 60] = sent
    yield writeMessage(random, sent, answered, clock)
  }
}

/** The epoch began on a Thursday. */
function isWeekend(clock: number): boolean {
  return (Math.floor(clock / 86_400) + 3) % 7 >= 5
}

/** Mail is written by day. */
function whoIsAwake(random: Random, people: readonly Person[], clock: number): Person {
  for (let tries = 0; ; tries++) {
    // The smaller of two draws: few write much, many write little.
    const person = people[Math.min(random.below(people.length), random.below(people.length))]
    const hour = hourOf(clock, person.zone)
    if ((hour >= 8 && hour < 22) || tries === 3) return person
  }
}

function begin(random: Random, author: Person, index: number): Sent {
  const list = random.pick(lists)
  return {
    id: messageId(random, author, index),
    references: [],
    subject: `[${list}] ${topic(random, author.language)} (${index})`,
    list,
    author,
    text: paragraphs(random, author.language, random.between(2, 8)),
  }
}

function reply(random: Random, author: Person, answered: Sent, index: number): Sent {
  const quoted = answered.text.split('\n').slice(0, random.between(4, 24))
  const mark = random.chance(20) ? '>' : '> ' // the first kind makes ">From " lines
  return {
    id: messageId(random, author, index),
    references: [...answered.references, answered.id].slice(-20),
    subject: answered.subject.startsWith('Re:') ? answered.subject : `Re: ${answered.subject}`,
    list: answered.list,
    author,
    text: `${answered.author.name}:\n${quoted.map((line) => mark + line).join('\n')}\n\n${paragraphs(random, author.language, random.between(1, 5))}`,
  }
}

function messageId(random: Random, author: Person, index: number): string {
  return `<${random.bits().toString(36)}.${index}@${author.idDomain}>`
}

function writeMessage(random: Random, sent: Sent, answered: Sent | null, clock: number): Buffer {
  const { author, list, subject } = sent
  const encoded = (text: string) => headerText(text, charsetFor(text, author), random.chance(50) ? 'B' : 'Q')
  const fields = [
    `Return-Path: <${list}-bounces@lists.example.org>`,
    `Received: from ${author.idDomain} by lists.example.org; ${mailDate(clock + 2, 0)}`,
    `Date: ${mailDate(clock, author.zone)}`,
    `From: ${encoded(author.name)} <${author.address}>`,
    `To: ${list}@lists.example.org`,
    `Subject: ${encoded(subject)}`,
  ]
  // One mail program in some thirty loses what a message answers: only its subject says so.
  const forgetful = random.chance(3)
  if (!forgetful) fields.push(`Message-ID: ${sent.id}`)
  if (answered && !forgetful) {
    fields.push(`In-Reply-To: ${answered.id}`)
    if (random.chance(90)) fields.push(`References: ${sent.references.join('\n ')}`)
  }
  const body = composeBody(random, sent.text, author)
  fields.push(`List-Id: <${list}.lists.example.org>`, 'MIME-Version: 1.0', body.header)
  const message = escapeFrom(`${fields.join('\n')}\n\n${body.content}`)
  return Buffer.from(
    `From ${author.address} ${separatorDate(clock)}\n${message}${message.endsWith('\n') ? '' : '\n'}\n`,
    'latin1',
  )
}
