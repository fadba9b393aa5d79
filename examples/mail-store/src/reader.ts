import { ApartmentThreaded, type Progress } from 'flatshare'
import type { MailIndex } from './mail-index.js'
import type { Session } from './session.js'
import { type Finished, indexShare, parseShare, type Share } from './share.js'

// Objects of these classes arrive here as themselves, so this thread must have the classes.
import './mail-index.js'
import './session.js'

/** What all readers work on. It is marshaled whole: some of it arrives as itself, some as a proxy. */
export interface Job {
  path: string
  session: Session
  index: MailIndex
  advice: Finished
  progress: Progress
}

/** Reads messages on its own thread, straight into the indexes that all threads share. */
@ApartmentThreaded()
export class Reader {
  readonly #job: Job

  constructor(job: Job) {
    this.#job = job
  }

  /** Reads and indexes a share of the archive. Answers how many messages this thread has read in all. */
  async read(share: Share): Promise<number> {
    const { path, session, progress } = this.#job
    const parse = async () => parseShare(await session.cursor.file(path), share, progress)
    session.cursor.messages += await indexShare(this.#job, share, parse)
    return session.cursor.messages
  }
}
