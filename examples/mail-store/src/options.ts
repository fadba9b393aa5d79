import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type NotifyPlace, notifyPlaces } from './watch/notify-place.js'

export interface Options {
  /** An absolute path, or null for this repository's history or a generated archive. */
  file: string | null
  /** How many readers there are. */
  threads: number
  /** Readers are processes instead of threads. */
  processes: boolean
  json: boolean
  compare: boolean
  /** Watch the file, or folder, instead of reading it once. */
  watch: boolean
  /** Where whoever watches is notified. */
  notify: NotifyPlace
  /** An absolute path: where to copy the folders to. */
  copy: string | null
  help: boolean
}

/** The command line can't be understood; the message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `Usage: npm start -- [FILE.mbox] [--threads N | --processes N] [--json] [--compare | --no-compare]
       npm start -- [FILE.mbox] --copy FOLDER [--threads N | --processes N] [--json]
       npm start -- [FILE.mbox | FOLDER] --watch [--notify PLACE] [--json]

Reads an mbox archive on several threads or processes and says what is in it. Without a file it reads
this repository's history as mail, or an archive that it generates.

  --threads N     parse on N threads (default: one per processor, 2 to 8)
  --processes N   parse in N processes instead: slower to start, and one that is killed, or runs
                  out of memory, takes nothing else with it
  --json          print one JSON document; with --watch one for each event
  --compare       measure one thread, or process, alone too (default without a file)
  --no-compare    don't
  --copy FOLDER   copy the archive's folders there, a year each, with an mbox file a month
  --watch         say what is appended to the file, or to those in the folder, until Ctrl-C;
                  without one, to a folder to which another process delivers mail
  --notify PLACE  with --watch: first-thread (default), this-thread or service-thread
  --help          print this`

const most = 256

export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Options {
  const { values, positionals } = readArguments(args)
  if (positionals.length > 1) throw new UsageError(`expected one file, got ${positionals.length}`)
  const [file] = positionals
  if (file === '') throw new UsageError('the name of the file is empty')
  const { copy, watch, threads, processes, compare, notify } = values
  if (copy === '') throw new UsageError('the name of the folder to copy to is empty')
  if (watch && copy !== undefined) throw new UsageError('--watch and --copy exclude each other')
  if (watch && threads !== undefined) throw new UsageError('--threads says nothing with --watch')
  if (watch && processes !== undefined) throw new UsageError('--processes says nothing with --watch')
  if (threads !== undefined && processes !== undefined)
    throw new UsageError('--threads and --processes exclude each other')
  if (!watch && notify !== undefined) throw new UsageError('--notify says nothing without --watch')
  if (compare && (watch || copy !== undefined)) throw new UsageError('--compare is for reading alone')
  // npm runs scripts in the package's directory, and says here where the user was.
  const absolute = (path: string) => resolve(environment.INIT_CWD ?? process.cwd(), path)
  return {
    file: file === undefined ? null : absolute(file),
    threads: processes === undefined ? readCount('--threads', threads) : readCount('--processes', processes),
    processes: processes !== undefined,
    json: values.json,
    compare: compare ?? (file === undefined && !watch && copy === undefined),
    watch,
    notify: readPlace(notify),
    copy: copy === undefined ? null : absolute(copy),
    help: values.help,
  }
}

function readPlace(text: string | undefined): NotifyPlace {
  const place = text === undefined ? 'first-thread' : notifyPlaces.find((name) => name === text)
  if (!place) throw new UsageError(`--notify takes one of ${notifyPlaces.join(', ')}, not "${text}"`)
  return place
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        threads: { type: 'string' },
        processes: { type: 'string' },
        json: { type: 'boolean', default: false },
        compare: { type: 'boolean' },
        watch: { type: 'boolean', default: false },
        notify: { type: 'string' },
        copy: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\n|\. /)[0])
  }
}

function readCount(option: string, text: string | undefined): number {
  if (text === undefined) return Math.min(8, Math.max(2, availableParallelism()))
  const count = /^\d+$/.test(text) ? Number(text) : 0
  if (count < 1 || count > most) throw new UsageError(`${option} takes a whole number from 1 to ${most}, not "${text}"`)
  return count
}
