import { appendFileSync } from 'node:fs'
import { ApartmentThreaded, type Remote, thisThreadAdviseSink } from 'flatshare'
import type { ContentsTable, Row } from '../../dist/contents-table.js'
import type { Folder } from '../../dist/folder.js'
import type { Session } from '../../dist/session.js'
import type { MailWatcher } from '../../dist/watch/mail-watcher.js'
import type { FreeMailSink } from './mail-sinks.js'

import '../../dist/mail-index.js'
import '../../dist/session.js'
import './mail-sinks.js'

const subjects = (rows: readonly Row[]) => rows.map(({ subject }) => subject)

/** Another thread that uses the store. */
@ApartmentThreaded()
export class MailClient {
  /** Appends to a file in pieces, as a slow writer. */
  append(path: string, text: string, pieces: number): void {
    const length = Math.ceil(text.length / pieces)
    for (let at = 0; at < text.length; at += length) appendFileSync(path, text.slice(at, at + length))
  }

  /** Has a sink notified on this thread. */
  async advise(watcher: Remote<MailWatcher>, sink: FreeMailSink): Promise<void> {
    await watcher.advise('*', thisThreadAdviseSink(sink))
  }

  /** Reads on in somebody's table. */
  async next(table: Remote<ContentsTable>, limit: number): Promise<string[]> {
    return subjects((await table.next(limit)) as Row[])
  }

  /** Reads on in this thread's own table of a folder. */
  ownNext(session: Session, folder: Folder, limit: number): string[] {
    return subjects(session.cursor.table(folder).next(limit))
  }
}
