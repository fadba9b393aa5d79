import { Apartment, contextsOf, currentThread } from 'flatshare'
import { expect, onTestFinished, test } from 'vitest'
import { ContentsTable } from '../dist/contents-table.js'
import { Folder } from '../dist/folder.js'
import { MessageRecord } from '../dist/message-record.js'
import { Session } from '../dist/session.js'
import { parsedMessage } from './parsed-message.js'

const add = (folder: Folder, from: number, to: number) => {
  for (let number = from; number <= to; number++)
    folder.messages.push(new MessageRecord(parsedMessage({ subject: `mail ${number}` }), null))
}

function folderOf(messages: number): Folder {
  const folder = new Folder('2024')
  add(folder, 1, messages)
  return folder
}

async function openClient(name: string) {
  const apartment = await Apartment.open<typeof import('./threads/mail-client.js')>(
    new URL('./threads/mail-client.js', import.meta.url),
    { name },
  )
  onTestFinished(() => apartment.close())
  return apartment.create('MailClient')
}

const subjects = (table: ContentsTable, limit: number) => table.next(limit).map(({ subject }) => subject)

test('S22 a session has a cursor for each thread, with tables of its own', async () => {
  const session = new Session()
  const folder = folderOf(5)
  const [one, two] = [await openClient('one'), await openClient('two')]
  expect(await one.ownNext(session, folder, 2)).toEqual(['mail 1', 'mail 2'])
  expect(await two.ownNext(session, folder, 3)).toEqual(['mail 1', 'mail 2', 'mail 3'])
  expect(await one.ownNext(session, folder, 2)).toEqual(['mail 3', 'mail 4'])
  expect(subjects(session.cursor.table(folder), 1)).toEqual(['mail 1'])
  expect(session.cursor.table(folder)).toBe(session.cursor.table(folder))
  expect(contextsOf(session)).toEqual([
    { thread: { id: currentThread.id, name: 'main' }, values: { cursor: session.cursor } },
  ])
})

test('S23 one table used on two threads shares its one position; two tables have one each', async () => {
  const folder = folderOf(6)
  const client = await openClient('client')
  const [table, other] = [new ContentsTable(folder.messages), new ContentsTable(folder.messages)]
  expect(subjects(table, 2)).toEqual(['mail 1', 'mail 2'])
  expect(await client.next(table, 2)).toEqual(['mail 3', 'mail 4'])
  expect(await client.next(other, 1)).toEqual(['mail 1'])
  expect(subjects(table, 9)).toEqual(['mail 5', 'mail 6'])
  expect(await client.next(table, 9)).toEqual([])
  expect(subjects(other, 1)).toEqual(['mail 2'])
})

test('a table shows what was there when it was refreshed, under its restriction', () => {
  const folder = folderOf(2)
  const table = new ContentsTable(folder.messages)
  table.restrict({ subject: 'mail' })
  add(folder, 3, 3)
  expect(table.count()).toBe(2)
  expect(table.refresh()).toBe(3)
  expect(table.count()).toBe(3)
  folder.messages.push(new MessageRecord(parsedMessage({ subject: 'else' }), null))
  expect(table.refresh()).toBe(4)
  expect(table.count()).toBe(3)
  table.seek(2)
  expect(subjects(table, 5)).toEqual(['mail 3'])
  folder.messages.clear()
  expect(table.refresh()).toBe(0)
  expect(table.count()).toBe(0)
})
