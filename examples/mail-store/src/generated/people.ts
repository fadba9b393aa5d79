import type { Charset } from './charsets.js'
import type { Random } from './random.js'

export type Language = 'english' | 'german' | 'french' | 'russian' | 'japanese'

export interface Person {
  name: string
  address: string
  language: Language
  /** Of the person's mail program. */
  charset: Charset
  /** Minutes east of Greenwich. */
  zone: number
  /** What the person's mail program calls messages by. */
  idDomain: string
}

interface Origin {
  language: Language
  charsets: Charset[]
  zones: number[]
  given: string[]
  family: string[]
}

const origins: Origin[] = [
  {
    language: 'english',
    charsets: ['us-ascii', 'utf-8'],
    zones: [-480, -420, -360, -300, 0, 330, 600],
    given: ['Alice', 'Ben', 'Carol', 'David', 'Esther', 'Frank', 'Grace', 'Henry', 'Irene', 'Jack', 'Priya', 'Rahul'],
    family: ['Baker', 'Carter', 'Dixon', 'Ellis', 'Foster', 'Graham', 'Hughes', 'Iyer', 'Jordan', 'Kapoor', 'Lloyd'],
  },
  {
    language: 'german',
    charsets: ['iso-8859-1', 'utf-8'],
    zones: [60],
    given: ['Jürgen', 'Käthe', 'Björn', 'Anke', 'Günther', 'Sören'],
    family: ['Müller', 'Schäfer', 'Weiß', 'Köhler', 'Brandt', 'Lüders'],
  },
  {
    language: 'french',
    charsets: ['windows-1252', 'utf-8'],
    zones: [60, -300],
    given: ['Hélène', 'François', 'Zoé', 'Jérôme', 'Anaïs'],
    family: ['Lefèvre', 'Dubois', 'Gagné', 'Côté', 'Marchand'],
  },
  {
    language: 'russian',
    charsets: ['koi8-r', 'utf-8'],
    zones: [180, 300],
    given: ['Анна', 'Борис', 'Вера', 'Иван', 'Ольга'],
    family: ['Петренко', 'Соколенко', 'Морозенко', 'Лысенко'],
  },
  {
    language: 'japanese',
    charsets: ['iso-2022-jp', 'utf-8'],
    zones: [540],
    given: ['はるか', 'ゆうき', 'さくら', 'けんじ'],
    family: ['たなか', 'すずき', 'やまもと', 'いとう'],
  },
]
const shares = [0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4]
const domains = ['example.com', 'example.org', 'example.net', 'mail.example.com', 'lab.example.org']

export function invitePeople(random: Random, count: number): Person[] {
  return Array.from({ length: count }, (_, index) => {
    const origin = origins[random.pick(shares)]
    const domain = random.pick(domains)
    return {
      name: `${random.pick(origin.given)} ${random.pick(origin.family)}`,
      address: `${random.pick(['dev', 'ops', 'mail', 'list', 'user'])}${index + 1}@${domain}`,
      language: origin.language,
      charset: random.pick(origin.charsets),
      zone: random.pick(origin.zones),
      idDomain: `host${random.below(40)}.${domain}`,
    }
  })
}
