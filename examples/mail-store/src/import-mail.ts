import { Apartment, DisconnectedError, type Progress, type Remote, thisThreadAdviseSink } from 'flatshare'
import type { IndexSummary } from './mail-index.js'
import { splitRanges } from './mbox.js'
import type { Job, Reader, Share } from './reader.js'
import { Session } from './session.js'
import { mostShares, Statistics } from './statistics.js'
import type { MessageStore } from './store.js'

const shareBytes = 1024 * 1024

export interface Import {
  path: string
  bytes: number
  threads: number
  progress: Progress
  /** Hears of new folders, finished batches and lost readers, on the thread that imports. */
  announce(what: Announcement): void
  /** Called with every reader's apartment, for whoever wants to watch it. */
  onReader?(apartment: Apartment): void
}

export type Announcement =
  | { kind: 'folder'; name: string }
  | { kind: 'batch'; messages: number }
  | { kind: 'lost'; reader: string; reason: string }

export interface Imported extends IndexSummary {
  messages: number
  parsed: number
  failed: number
  bytes: number
  weekdays: number[]
  hours: number[]
  perThread: number[]
}

/** Reads an archive on several threads into a store on another, and calls `use` while the store is open. */
export async function importMail<T>(job: Import, use: (imported: Imported, store: Remote<MessageStore>) => Promise<T>): Promise<T> {
  await using home = await Apartment.open<typeof import('./store.js')>(new URL('./store.js', import.meta.url), { name: 'store' })
  const store = await home.create('MessageStore')
  const announced = await announceFrom(store, job.announce)

  const statistics = new Statistics()
  const perThread = await readAll(job, { path: job.path, session: new Session(), statistics, store, progress: job.progress })

  await store.close()
  await announced
  return use({ ...(await store.summarize()), ...statistics.summarize(), perThread }, store)
}
