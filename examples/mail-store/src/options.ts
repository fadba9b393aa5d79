import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface Options {
  /** An absolute path, or null for this repository's history or a generated archive. */
  file: string | null
  threads: number
  json: boolean
  compare: boolean
  help: boolean
}

/** The command line can't be understood; the message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `Usage: npm start -- [FILE.mbox] [--threads N] [--json] [--compare | --no-compare]

Reads an mbox archive on several threads and says what is in it. Without a file it reads
this repository's history as mail, or an archive that it generates.

  --threads N     parse on N threads (default: one per processor, 2 to 8)
  --json          print one JSON document
  --compare       measure one thread alone too (default without a file)
  --no-compare    don't
  --help          print this`

const most = 256

export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Options {
  const { values, positionals } = readArguments(args)
  if (positionals.length > 1) throw new UsageError(`expected one file, got ${positionals.length}`)
  const [file] = positionals
  if (file === '') throw new UsageError('the name of the file is empty')
  return {
    // npm runs scripts in the package's directory, and says here where the user was.
    file: file === undefined ? null : resolve(environment.INIT_CWD ?? process.cwd(), file),
    threads: readThreads(values.threads),
    json: values.json,
    compare: values.compare ?? file === undefined,
    help: values.help,
  }
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      allowNegative: true,
      options: {
        threads: { type: 'string' },
        json: { type: 'boolean', default: false },
        compare: { type: 'boolean' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message.split(/\n|\. /)[0])
  }
}

function readThreads(text: string | undefined): number {
  if (text === undefined) return Math.min(8, Math.max(2, availableParallelism()))
  const threads = /^\d+$/.test(text) ? Number(text) : 0
  if (threads < 1 || threads > most)
    throw new UsageError(`--threads takes a whole number from 1 to ${most}, not "${text}"`)
  return threads
}
