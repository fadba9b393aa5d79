import type { Row } from './contents-table.js'
import type { Folder } from './folder.js'
import type { Folders } from './folders.js'

/** What is said of a folder. */
export interface FolderReport {
  name: string
  messages: number
  withAttachments: number
  /** The largest ones with attachments, in the fullest folder only. */
  largest: Row[]
}

/** Opens each folder's contents table and looks through it, on this thread. */
export function reportFolders(folders: Folders, listed = 3): FolderReport[] {
  const reports = folders.names().map((name) => reportFolder(folders.open(name)))
  const fullest = reports.reduce((a, b) => (b.messages > a.messages ? b : a), reports[0])
  if (fullest) fullest.largest = largestOf(folders.open(fullest.name), listed)
  return reports
}

function reportFolder(folder: Folder): FolderReport {
  const table = folder.contentsTable()
  const messages = table.count()
  table.restrict({ hasAttachments: true })
  return { name: folder.name, messages, withAttachments: table.count(), largest: [] }
}

function largestOf(folder: Folder, limit: number): Row[] {
  const table = folder.contentsTable()
  table.restrict({ hasAttachments: true })
  table.sort('size', 'descending')
  return table.rows(0, limit)
}
