import { Progress } from 'flatshare'
import { drawProgress } from 'flatshare/terminal'
import { type Announcement, importMail } from '../import-mail.js'
import { interrupted } from '../interruption.js'
import { announceLost, say } from '../say.js'
import type { MailSource } from '../source.js'
import { copyFolders, makeTarget } from './copy-folders.js'
import { copyToJson, summarizeCopy } from './copy-report.js'

export interface CopyOptions {
  target: string
  threads: number
  processes: boolean
  json: boolean
}

/** Reading takes so much of the time, about; copying takes the rest. */
const readingShare = 0.8
/** More bars than these don't fit into a terminal. */
const mostBars = 16

/**
 * Reads the archive, copies its folders, and prints what was copied. Answers the exit code.
 *
 * One progress is for all of it, with a part for reading, one for copying, of that one for each folder, and of those one
 * for each month. Interrupting cancels it, and with it whatever is done at that moment, on whatever thread.
 *
 * @throws ArchiveError where the folder to copy to isn't empty, or can't be written
 */
export async function runCopy(source: MailSource, options: CopyOptions, signal: AbortSignal): Promise<number> {
  const { target, threads, processes, json } = options
  await makeTarget(target)
  using whole = new Progress({ label: 'Reading and copying' })
  const cancel = () => whole.cancel()
  signal.addEventListener('abort', cancel)
  const started = performance.now()
  const reading = whole.child({ share: readingShare, total: source.bytes, label: 'Reading' })
  const bar = drawProgress(reading)
  const announce = (what: Announcement) => announceLost(what)
  const job = { path: source.path, bytes: source.bytes, threads, processes, progress: reading, announce }

  const report = await importMail(job, async ({ failed }, { folders }) => {
    reading.done()
    await bar[Symbol.asyncDispose]()
    const names = folders.names()
    if (!json && !whole.cancelled) say(`copying ${names.length} folders`)
    const progress = whole.child({ label: 'Copying' })
    let bars: AsyncDisposable | undefined
    const copied = await copyFolders({
      path: source.path,
      folders,
      target,
      threads,
      progress,
      onParts(parts) {
        bars = drawProgress(parts.length <= mostBars ? [progress, ...parts] : progress)
      },
      onLost: (copier, reason) => say(`mail-store: ${copier} died, its folder is copied again: ${reason}`),
    })
    await bars?.[Symbol.asyncDispose]()
    const seconds = (performance.now() - started) / 1000
    return { source: source.description, target, cancelled: whole.cancelled, failed, folders: copied, seconds }
  })
  signal.removeEventListener('abort', cancel)
  console.log(json ? copyToJson(report) : summarizeCopy(report))
  return signal.aborted ? interrupted : 0
}
