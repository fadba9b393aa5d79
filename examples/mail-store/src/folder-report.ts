import type { Remote } from 'flatshare'
import type { Row } from './contents-table.js'
import type { MessageStore } from './store.js'

/** What is said of a folder. */
export interface FolderReport {
  name: string
  messages: number
  withAttachments: number
  /** The largest ones with attachments, in the fullest folder only. */
  largest: Row[]
}

/** Opens each folder's contents table and looks through it. Folders and tables stay on the store's thread. */
export async function reportFolders(store: Remote<MessageStore>, listed = 3): Promise<FolderReport[]> {
  const reports = await Promise.all((await store.folderNames()).map((name) => reportFolder(store, name)))
  const fullest = reports.reduce((a, b) => (b.messages > a.messages ? b : a), reports[0])
  if (fullest) fullest.largest = await largestOf(store, fullest.name, listed)
  return reports
}

async function reportFolder(store: Remote<MessageStore>, name: string): Promise<FolderReport> {
  const table = await (await store.openFolder(name)).contentsTable()
  const messages = await table.count()
  await table.restrict({ hasAttachments: true })
  return { name, messages, withAttachments: await table.count(), largest: [] }
}

async function largestOf(store: Remote<MessageStore>, name: string, limit: number): Promise<Row[]> {
  const table = await (await store.openFolder(name)).contentsTable()
  await table.restrict({ hasAttachments: true })
  await table.sort('size', 'descending')
  return table.rows(0, limit)
}
