import { ApartmentThreaded, type Progress } from 'flatshare'
import type { MailIndex } from './mail-index.js'
import { type ByteRange, readMessages } from './mbox.js'
import { type Outcome, parseMessage } from './message.js'
import type { Session } from './session.js'

// Objects of these classes arrive here as themselves, so this thread must have the classes.
import './mail-index.js'
import './session.js'

/** A piece of the archive, small enough that it hardly matters when it must be read again. */
export interface Share extends ByteRange {
  number: number
  /** How many readers died while they had it. */
  deaths: number
}

/** Of a share that two readers died of, messages larger than this are not parsed, but count as failed. */
const cautiousLimit = 1024 * 1024

/** Whom readers tell of a share that is in the indexes: a `StoreAdvice`, of which they have a proxy. */
export interface Finished {
  finish(share: number, messages: number, folders: readonly string[]): void | Promise<void>
}

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
    const { session, index, advice } = this.#job
    // A reader that died may have come so far: then nobody needs to read the share again.
    const batch = index.batches.get(share.number) ?? index.publish(share.number, await this.#parse(share))
    index.add(batch)
    const messages = batch.records.length + batch.failed
    session.cursor.messages += messages
    await advice.finish(share.number, messages, batch.folders())
    return session.cursor.messages
  }

  async #parse(share: Share): Promise<Outcome[]> {
    const { path, session, progress } = this.#job
    const outcomes: Outcome[] = []
    const limits = share.deaths < 2 ? {} : { limit: cautiousLimit }
    for await (const message of readMessages(await session.cursor.file(path), share, limits)) {
      outcomes.push(await parseMessage(message))
      if (!progress.advance(message.size)) break // cancelled: what was read still counts
    }
    return outcomes
  }
}
