import {
  type Apartment,
  DisconnectedError,
  dispose,
  type Notification,
  type Progress,
  thisThreadAdviseSink,
} from 'flatshare'
import { type IndexSummary, MailIndex } from './mail-index.js'
import { splitRanges } from './mbox.js'
import { inProcess, onThread } from './open-reader.js'
import type { Job } from './reader.js'
import { Session } from './session.js'
import type { Share } from './share.js'
import { StoreAdvice, type StoreEvents } from './store-advice.js'

/** The archive is read in at most this many shares. */
const mostShares = 512

export interface Import {
  path: string
  bytes: number
  /** How many readers there are. */
  threads: number
  /** Each reader is a process of its own. */
  processes?: boolean
  progress: Progress
  /** About how large a share of the archive a reader takes at a time. */
  shareBytes?: number
  /** Hears of new folders, finished batches and lost readers, on the thread that imports. */
  announce(what: Announcement): void
  /** Called with every reader's apartment, for whoever wants to watch it. */
  onReader?(apartment: Apartment): void
}

export type Announcement =
  | { kind: 'folder'; name: string }
  | { kind: 'batch'; messages: number }
  | { kind: 'lost'; reader: string; reason: string }

/** What an import found. */
export interface Imported extends IndexSummary {
  /** Messages that each reader read. */
  perThread: number[]
}

/** Reads an archive with several readers, all of it into one index, and calls `use` while the index is there. */
export async function importMail<T>(
  job: Import,
  use: (imported: Imported, index: MailIndex) => T | Promise<T>,
): Promise<T> {
  const index = new MailIndex()
  try {
    const advice = new StoreAdvice()
    const { connection, heard } = listenTo(advice, job.announce)
    const { path, progress } = job
    const perThread = await readAll(job, { path, session: new Session(), index, advice, progress })
    advice.close()
    await heard
    await connection.unadvise()
    return await use({ ...index.summarize(), perThread }, index)
  } finally {
    dispose(index)
  }
}

/** Asks to hear what happens to the store, on this thread. `heard` resolves with the last notification. */
function listenTo(advice: StoreAdvice, announce: Import['announce']) {
  let resolve!: () => void
  const heard = new Promise<void>((all) => {
    resolve = all
  })
  const sink = thisThreadAdviseSink<Notification<StoreEvents>>((batch) => {
    for (const { event, payload } of batch) {
      if (event === 'folderCreated') announce({ kind: 'folder', name: payload.name })
      else if (event === 'batchFinished') announce({ kind: 'batch', messages: payload.messages })
      else resolve()
    }
  })
  const connection = advice.advise(['folderCreated', 'batchFinished', 'closed'], sink)
  return { connection, heard }
}

/** Has all shares of the archive read. Answers how many messages each reader read. */
async function readAll(
  { bytes, threads, processes, progress, shareBytes = 1024 * 1024, announce, onReader = () => {} }: Import,
  job: Job,
): Promise<number[]> {
  const count = Math.min(mostShares, Math.max(threads, Math.ceil(bytes / shareBytes)))
  const shares: Share[] = splitRanges(bytes, count)
    .map((range, number) => ({ ...range, number, deaths: 0 }))
    .reverse()
  const perThread = new Array<number>(threads).fill(0)

  const work = async (thread: number) => {
    const name = `reader ${thread + 1}`
    const before = perThread[thread]
    let share: Share | undefined
    try {
      const withReader = processes ? inProcess : onThread
      await withReader(job, name, onReader, async (read) => {
        while (!progress.cancelled && (share = shares.pop())) perThread[thread] = before + (await read(share))
      })
    } catch (error) {
      if (!(error instanceof DisconnectedError)) throw error
      if (share) shares.push({ ...share, deaths: share.deaths + 1 })
      announce({ kind: 'lost', reader: name, reason: reasonOf(error) })
    }
  }

  // Once is enough, unless a reader died after the others had run out of shares, or was the only one.
  for (let fruitless = 0; shares.length > 0 && !progress.cancelled; ) {
    if (fruitless === 3) throw new Error('Every reader dies: the rest of the archive could not be read.')
    const before = shares.length
    await Promise.all(Array.from({ length: Math.min(threads, before) }, (_, thread) => work(thread)))
    fruitless = shares.length < before ? 0 : fruitless + 1
  }
  return perThread
}

const reasonOf = ({ cause, message }: DisconnectedError) => (cause instanceof Error ? cause.message : message)
