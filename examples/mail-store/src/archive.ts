import { open, stat } from 'node:fs/promises'
import { isSeparator } from './separator.js'

/** The file can't be used as an archive of mail; the message is one line that says why. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
}

/** Makes sure that a file is an mbox archive and answers its size in bytes. */
export async function checkArchive(path: string): Promise<number> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw new ArchiveError(`${path} is a directory, not an mbox file`)
    if (!found.isFile()) throw new ArchiveError(`${path} is not a regular file`)
    if (found.size === 0) throw new ArchiveError(`${path} is empty`)
    if (!(await startsLikeMail(path)))
      throw new ArchiveError(`${path} is not mail: it doesn't start with a "From " line`)
    return found.size
  } catch (error) {
    throw error instanceof ArchiveError ? error : new ArchiveError(explain(path, error as NodeJS.ErrnoException))
  }
}

async function startsLikeMail(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const beginning = Buffer.alloc(64 * 1024)
    const { bytesRead } = await file.read(beginning, 0, beginning.length, 0)
    const text = beginning.toString('latin1', 0, bytesRead)
    const first = text.search(/[^\r\n]/)
    // Line ends in front make the start of the file look as if it followed a blank line. Those behind keep a single
    // line of prose from passing as an archive that was cut in its first line.
    return text.startsWith('From ', first) && isSeparator(Buffer.from(`\n\n${text.slice(first)}\n\n`, 'latin1'), 2)
  } finally {
    await file.close()
  }
}

function explain(path: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `${path} does not exist`
    case 'EACCES':
    case 'EPERM':
      return `${path} may not be read`
    default:
      return `${path} can't be read: ${error.message}`
  }
}
