import { mkdir, readdir } from 'node:fs/promises'
import { Apartment, DisconnectedError, type Progress } from 'flatshare'
import { ArchiveError } from '../archive.js'
import type { Folders } from '../folders.js'
import { Session } from '../session.js'
import { type CopiedFolder, FoldersTable, type FolderTask } from './folders-table.js'

export interface Copy {
  /** The archive that the folders are of. */
  path: string
  folders: Folders
  /** An empty folder. */
  target: string
  threads: number
  /** Each folder gets a part of it, and each month a part of that. To cancel it ends the copying. */
  progress: Progress
  /** Called with the folders' parts, for whoever wants to show them. */
  onParts?(parts: readonly Progress[]): void
  /** Called with every copier's apartment, for whoever wants to watch it. */
  onCopier?(apartment: Apartment): void
  /** Hears of copiers that died. Their folders are copied by others. */
  onLost?(copier: string, reason: string): void
}

/** Copies all folders on several threads, and answers what was copied, also where it was cancelled. */
export async function copyFolders({ path, target, ...copy }: Copy): Promise<CopiedFolder[]> {
  const { progress, folders, threads } = copy
  const tasks = tasksOf(folders, progress)
  copy.onParts?.(tasks.map((task) => task.progress))
  const table = new FoldersTable(tasks, progress)
  const job = { path, target, session: new Session(), table }

  const work = async (number: number) => {
    const name = `copier ${number + 1}`
    try {
      await using apartment = await Apartment.open<typeof import('./copier.js')>(
        new URL('./copier.js', import.meta.url),
        { name },
      )
      copy.onCopier?.(apartment)
      const copier = await apartment.create('Copier', job)
      await copier.copy()
    } catch (error) {
      if (!(error instanceof DisconnectedError)) {
        // The others needn't go on.
        progress.cancel(error)
        throw error
      }
      copy.onLost?.(name, error.cause instanceof Error ? error.cause.message : error.message)
    }
  }

  // Once is enough, unless all copiers died.
  for (let fruitless = 0; table.unfinished > 0 && !progress.cancelled; ) {
    if (fruitless === 3) throw new Error('Every copier dies: the folders could not be copied.')
    const before = table.unfinished
    const results = await Promise.allSettled(Array.from({ length: Math.min(threads, before) }, (_, n) => work(n)))
    for (const result of results) if (result.status === 'rejected') throw explained(result.reason, target)
    fruitless = table.unfinished < before ? 0 : fruitless + 1
  }
  progress.done()
  return table.result
}

function tasksOf(folders: Folders, progress: Progress): FolderTask[] {
  return folders.names().map((name) => {
    const folder = folders.open(name)
    const sizes = Array.from(folder.messages, ({ size }) => size)
    const bytes = sizes.reduce((a, b) => a + b, 0)
    return {
      name,
      folder,
      messages: sizes.length,
      progress: progress.child({ items: bytes, label: name }),
      isAgain: false,
    }
  })
}

/**
 * Makes the folder to copy to.
 *
 * @throws ArchiveError where it can't be made, or isn't empty
 */
export async function makeTarget(path: string): Promise<void> {
  let names: string[]
  try {
    await mkdir(path, { recursive: true })
    names = await readdir(path)
  } catch (error) {
    throw explained(error, path)
  }
  if (names.length > 0) throw new ArchiveError(`${path} is not empty`)
}

function explained(error: unknown, target: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EEXIST' || code === 'ENOTDIR') return new ArchiveError(`${target} is not a folder`)
  return code === undefined ? error : new ArchiveError(`${target} can't be written: ${message}`)
}
