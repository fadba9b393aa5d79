import { ApartmentThreaded, type Remote } from 'flatshare'
import type { Session } from '../session.js'
import { copyFolder } from './copy-folder.js'
import type { FoldersTable } from './folders-table.js'

// Objects of these classes arrive here as themselves, so this thread must have the classes.
import '../folder.js'
import '../session.js'

/** What all copiers work on. */
export interface CopyJob {
  /** The archive. */
  path: string
  /** An empty folder. */
  target: string
  session: Session
  table: FoldersTable
}

/** The same, as it arrives. */
type ArrivedJob = Omit<CopyJob, 'table'> & { table: Remote<FoldersTable> }

/** Copies folders on its own thread, one after the other, as long as the table has any. */
@ApartmentThreaded()
export class Copier {
  readonly #job: ArrivedJob

  constructor(job: ArrivedJob) {
    this.#job = job
  }

  async copy(): Promise<void> {
    const { path, target, session, table } = this.#job
    for (let task = await table.next(); task; task = await table.next()) {
      await table.finish(await copyFolder(task, await session.cursor.file(path), target))
    }
  }
}
