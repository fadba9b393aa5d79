import { Apartment } from 'flatshare'
import { childProcess } from 'flatshare/process'
import type { Job } from './reader.js'
import { indexShare, type Share } from './share.js'

/** Has a share of the archive read and indexed. Answers how many messages that reader has read in all. */
export type Read = (share: Share) => Promise<number>

/** Opens a reader, calls `use` with it, and closes it. `onOpen` is called first. */
export type WithReader = (
  job: Job,
  name: string,
  onOpen: (apartment: Apartment) => void,
  use: (read: Read) => Promise<void>,
) => Promise<void>

/** A reader on a thread of its own. It writes into the indexes by itself: they are in the memory of all threads. */
export const onThread: WithReader = async (job, name, onOpen, use) => {
  const url = new URL('./reader.js', import.meta.url)
  await using apartment = await Apartment.open<typeof import('./reader.js')>(url, { name })
  onOpen(apartment)
  const reader = await apartment.create('Reader', job)
  await use((share) => reader.read(share))
}

/**
 * A reader in a process of its own. The indexes are in the memory of this process, so it gets none of them: it parses, and
 * what it finds is copied here and indexed by this thread.
 */
export const inProcess: WithReader = async (job, name, onOpen, use) => {
  const source = childProcess(new URL('./parser.js', import.meta.url))
  await using apartment = await Apartment.open<typeof import('./parser.js')>(source, { name })
  onOpen(apartment)
  const parser = await apartment.create('Parser', job.path, job.progress)
  let messages = 0
  await use(async (share) => (messages += await indexShare(job, share, () => parser.parse(share))))
}
