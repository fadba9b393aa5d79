import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Commits, without merges, of the repository that a directory is in; 0 where git or the repository is missing. */
export async function countCommits(directory: string): Promise<number> {
  try {
    const { stdout } = await run('git', ['rev-list', '--no-merges', '--count', 'HEAD'], { cwd: directory })
    return Number(stdout)
  } catch {
    return 0
  }
}

/** Writes a repository's history to a file, as an mboxrd archive with a message for each commit. Answers whether git could. */
export async function writeHistory(directory: string, path: string, signal?: AbortSignal): Promise<boolean> {
  const file = await open(path, 'w')
  try {
    // The options in front undo what a user's configuration may add to the output.
    const options = ['-c', 'log.showSignature=false', 'log', '--no-color', '--no-ext-diff']
    const format = ['--reverse', '--no-merges', '--pretty=mboxrd', '--stat', '-p']
    const git = spawn('git', [...options, ...format], {
      cwd: directory,
      stdio: ['ignore', file.fd, 'ignore'],
      ...(signal && { signal }),
    })
    const [code] = (await once(git, 'close')) as [number | null]
    return code === 0
  } catch {
    signal?.throwIfAborted()
    return false
  } finally {
    await file.close()
  }
}
