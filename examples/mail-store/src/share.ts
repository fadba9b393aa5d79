import type { FileHandle } from 'node:fs/promises'
import type { Progress } from 'flatshare'
import type { MailIndex } from './mail-index.js'
import { type ByteRange, readMessages } from './mbox.js'
import { type Outcome, parseMessage } from './message.js'

/** A piece of the archive, small enough that it hardly matters when it must be read again. */
export interface Share extends ByteRange {
  number: number
  /** How many readers died while they had it. */
  deaths: number
}

/** Of a share that two readers died of, messages larger than this are not parsed, but count as failed. */
const cautiousLimit = 1024 * 1024

/** Parses the messages of a share, as far as its progress is not cancelled. */
export async function parseShare(file: FileHandle, share: Share, progress: Progress): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const limits = share.deaths < 2 ? {} : { limit: cautiousLimit }
  for await (const message of readMessages(file, share, limits)) {
    outcomes.push(await parseMessage(message))
    if (!progress.advance(message.size)) break // cancelled: what was read still counts
  }
  return outcomes
}

/** Whom readers tell of a share that is in the indexes: a `StoreAdvice`, or a proxy of one. */
export interface Finished {
  finish(share: number, messages: number, folders: readonly string[]): void | Promise<void>
}

/** Puts what `parse` finds in a share into the indexes, and says so. Answers how many messages that are. */
export async function indexShare(
  { index, advice }: { index: MailIndex; advice: Finished },
  share: Share,
  parse: () => Promise<Outcome[]>,
): Promise<number> {
  // A reader that died may have come so far: then nobody needs to read the share again.
  const batch = index.batches.get(share.number) ?? index.publish(share.number, await parse())
  index.add(batch)
  const messages = batch.records.length + batch.failed
  await advice.finish(share.number, messages, batch.folders())
  return messages
}
