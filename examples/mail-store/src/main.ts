import { initialize, Progress } from 'flatshare'
import { drawProgress } from 'flatshare/terminal'
import { ArchiveError } from './archive.js'
import { runCopy } from './copy/run-copy.js'
import { reportFolders } from './folder-report.js'
import { type Announcement, importMail } from './import-mail.js'
import { interrupted, whenInterrupted } from './interruption.js'
import { type Options, parseOptions, UsageError, usage } from './options.js'
import { type Report, toJson } from './report.js'
import { announceLost, say } from './say.js'
import { type MailSource, openSource } from './source.js'
import { readersLabel, summarize } from './summary.js'
import { runWatch } from './watch/run-watch.js'

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read it has left: `npm start | head`, or a terminal that was closed.
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) console.log(usage)
  else process.exitCode = await run(options)
} catch (error) {
  if (!(error instanceof UsageError || error instanceof ArchiveError)) throw error
  console.error(`mail-store: ${error.message}`)
  process.exitCode = 2
}

/** Does what the options say, and answers the exit code. */
async function run(options: Options): Promise<number> {
  const signal = whenInterrupted()
  await using _flatshare = initialize()
  if (options.watch) return await runWatch(options, signal)
  const { copy } = options
  return await withSource(options.file, signal, (source) =>
    copy === null ? readAndSummarize(source, options, signal) : runCopy(source, { ...options, target: copy }, signal),
  )
}

/** Calls `use` with the mail to read. */
async function withSource(
  file: string | null,
  signal: AbortSignal,
  use: (source: MailSource) => Promise<number>,
): Promise<number> {
  try {
    using source = await openSource(file, { signal })
    signal.throwIfAborted()
    return await use(source)
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error
    console.error('mail-store: interrupted before anything was read')
    return interrupted
  }
}

/** Reads the archive, and prints what is in it. */
async function readAndSummarize(source: MailSource, options: Options, signal: AbortSignal): Promise<number> {
  const report = await read(source, options, options.json ? announceLost : announce, signal)
  if (options.compare && options.threads > 1 && !signal.aborted) {
    const alone = await read(source, { ...options, threads: 1 }, announceLost, signal)
    if (!alone.cancelled) report.oneThreadSeconds = alone.seconds
  }
  console.log(options.json ? toJson(report) : summarize(report, process.stdout.isTTY))
  return signal.aborted ? interrupted : 0
}

/** One import, with a progress bar where there is a terminal. Interrupting cancels it through its progress. */
async function read(
  source: MailSource,
  { threads, processes }: Pick<Options, 'threads' | 'processes'>,
  announce: (what: Announcement) => void,
  signal: AbortSignal,
): Promise<Report> {
  using progress = new Progress({ total: source.bytes, label: readersLabel({ threads, processes }, 'One') })
  const cancel = () => progress.cancel()
  signal.addEventListener('abort', cancel)
  await using _bar = drawProgress(progress)

  const started = performance.now()
  const job = { path: source.path, bytes: source.bytes, threads, processes, progress, announce }
  const report = await importMail(job, (imported, index) => {
    const seconds = (performance.now() - started) / 1000
    const cancelled = progress.cancelled
    const folders = reportFolders(index.folders)
    const readers = { threads, processes }
    return { ...imported, ...readers, source: source.description, cancelled, folders, seconds, oneThreadSeconds: null }
  })
  progress.done()
  signal.removeEventListener('abort', cancel)
  return report
}

function announce(what: Announcement): void {
  announceLost(what)
  if (what.kind === 'folder') say(`new folder ${what.name}`)
}
