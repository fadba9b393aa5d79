import { Buffer } from 'node:buffer'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ArchiveError, checkArchive } from './archive.js'
import { generateArchive } from './generated/archive.js'
import { countCommits, writeHistory } from './git-history.js'
import { TemporaryFile } from './temporary-file.js'

/** An archive to read. To dispose of it removes what was written for it, never the user's file. */
export interface MailSource extends Disposable {
  path: string
  bytes: number
  /** What it is, as one would say it. */
  description: string
}

export interface SourceOptions {
  signal?: AbortSignal
  /** A directory in the repository whose history is taken: this one's by default. */
  directory?: string
}

/** A shorter history than this says little about threads. */
const fewestCommits = 2000
const generatedMessages = 20_000
const unwritable = ['EACCES', 'EDQUOT', 'ENOENT', 'ENOSPC', 'EPERM', 'EROFS']

/**
 * Finds the mail to read: the file, or without one this repository's history as mail, or where that is short a
 * generated archive.
 *
 * @throws {ArchiveError} the file is no archive of mail
 */
export async function openSource(file: string | null, options: SourceOptions = {}): Promise<MailSource> {
  if (file !== null) return { path: file, bytes: await checkArchive(file), description: file, [Symbol.dispose]() {} }
  let temporary: TemporaryFile | undefined
  const remove = () => temporary?.[Symbol.dispose]()
  try {
    const { path } = (temporary = new TemporaryFile('archive.mbox'))
    const description = (await historyAsMail(path, options)) ?? (await generatedMail(path, options))
    return { path, bytes: await checkArchive(path), description, [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    const { code, message } = error as NodeJS.ErrnoException
    throw unwritable.includes(code ?? '') ? new ArchiveError(`no archive could be written: ${message}`) : error
  }
}

async function historyAsMail(path: string, { signal, directory }: SourceOptions): Promise<string | null> {
  directory ??= fileURLToPath(new URL('.', import.meta.url))
  const commits = await countCommits(directory)
  if (commits < fewestCommits || !(await writeHistory(directory, path, signal))) return null
  return `This repository's history as mail, ${commits} commits`
}

async function generatedMail(path: string, { signal }: SourceOptions): Promise<string> {
  const file = await open(path, 'w')
  try {
    let pending: Uint8Array[] = []
    for (const message of generateArchive(generatedMessages)) {
      pending.push(message)
      if (pending.length < 256) continue
      await file.appendFile(Buffer.concat(pending))
      pending = []
      signal?.throwIfAborted()
    }
    if (pending.length > 0) await file.appendFile(Buffer.concat(pending))
  } finally {
    await file.close()
  }
  return `A generated archive of ${generatedMessages} messages, the same on every machine`
}
