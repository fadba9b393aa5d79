import { ApartmentThreaded, type Progress, type Remote } from 'flatshare'
import { type ByteRange, readMessages } from './mbox.js'
import { type Outcome, parseMessage } from './message.js'
import type { Session } from './session.js'
import type { Statistics } from './statistics.js'
import type { MessageStore } from './store.js'

// Objects of these classes arrive here as themselves, so this thread must have the classes.
import './session.js'
import './statistics.js'

/** A piece of the archive, small enough that it hardly matters when it must be read again. */
export interface Share extends ByteRange {
  number: number
  /** How many readers died while they had it. */
  deaths: number
}

/** Of a share that two readers died of, messages larger than this are not parsed, but count as failed. */
const cautiousLimit = 1024 * 1024

/** What all readers work on. It is marshaled whole: some of it arrives as itself, some as a proxy. */
export interface Job {
  path: string
  session: Session
  statistics: Statistics
  store: Remote<MessageStore>
  progress: Progress
}

/** Reads messages on its own thread. */
@ApartmentThreaded()
export class Reader {
  readonly #job: Job

  constructor(job: Job) {
    this.#job = job
  }

  /** Reads, parses and delivers a share of the archive. Answers how many messages this thread has read in all. */
  async read(share: Share): Promise<number> {
    const { path, session, statistics, store, progress } = this.#job
    const { cursor } = session
    const outcomes: Outcome[] = []
    const limits = share.deaths < 2 ? {} : { limit: cautiousLimit }
    for await (const message of readMessages(await cursor.file(path), share, limits)) {
      outcomes.push(await parseMessage(message))
      if (!progress.advance(message.size)) break // cancelled: what was read still counts
    }
    await store.deliver(share.number, outcomes)
    statistics.add(share.number, outcomes)
    cursor.messages += outcomes.length
    return cursor.messages
  }
}
