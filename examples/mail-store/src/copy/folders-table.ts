/**
 * The folders that are to be copied, for any number of threads.
 *
 * It is one table for all of them, with one position: whoever asks gets the next folder, so each is given out once. What it
 * keeps for each thread that calls is the folder in that thread's hand: its context, which ends with the thread, however
 * that ends. So the folder of a copier that has died is given out again.
 *
 *   waiting   nobody has it                 → in hand     by `next`
 *   in hand   of one thread                 → finished    by `finish`: copied, or as far as it came when it was cancelled
 *                                           → waiting     when that thread has ended
 *
 * When all are finished, or the whole is cancelled, `next` answers null; while others have the last ones in hand it waits,
 * for one of those may come back.
 */
import { ApartmentThreaded, Interleaved, PerThread, type Progress, ThreadAware } from 'flatshare'
import type { Folder } from '../folder.js'

/** A folder to copy. */
export interface FolderTask {
  name: string
  folder: Folder
  messages: number
  /** Its part of the whole. */
  progress: Progress
  /** A copier died while it had it: of what that one has left nothing counts. */
  isAgain: boolean
}

/** What was copied of a folder. */
export interface CopiedFolder {
  name: string
  /** Messages in the folder. */
  messages: number
  copied: number
  bytes: number
  /** Files that were written, below the target. */
  files: string[]
}

/** What one thread has in its hand. */
class Hand implements Disposable {
  task: FolderTask | undefined
  ended = false
  readonly #giveBack: (task: FolderTask) => void

  constructor(giveBack: (task: FolderTask) => void) {
    this.#giveBack = giveBack
  }

  [Symbol.dispose](): void {
    this.ended = true
    if (this.task) this.#giveBack(this.task)
    this.task = undefined
  }
}

@ThreadAware()
@ApartmentThreaded()
export class FoldersTable {
  @PerThread((table: FoldersTable) => new Hand((task) => table.#giveBack(task))) readonly hand!: Hand
  readonly #tasks: readonly FolderTask[]
  readonly #waiting: FolderTask[]
  readonly #finished = new Map<string, CopiedFolder>()
  readonly #progress: Progress
  #changed = newChange()

  constructor(tasks: readonly FolderTask[], progress: Progress) {
    this.#tasks = tasks
    this.#waiting = [...tasks]
    this.#progress = progress
    progress.signal.addEventListener('abort', () => this.#change())
  }

  /** How many are not finished. */
  get unfinished(): number {
    return this.#tasks.length - this.#finished.size
  }

  /** What has become of each folder, in the order of the table. */
  get result(): CopiedFolder[] {
    return this.#tasks.map(
      ({ name, messages }) => this.#finished.get(name) ?? { name, messages, copied: 0, bytes: 0, files: [] },
    )
  }

  /** The next folder for the calling thread. */
  @Interleaved()
  async next(): Promise<FolderTask | null> {
    const { hand } = this
    while (this.unfinished > 0 && !this.#progress.cancelled && !hand.ended) {
      hand.task = this.#waiting.shift()
      if (hand.task) return hand.task
      await this.#changed.promise
    }
    return null
  }

  /** The folder in the calling thread's hand is copied, or as far as it came. */
  @Interleaved()
  finish(folder: CopiedFolder): void {
    this.hand.task = undefined
    this.#finished.set(folder.name, folder)
    this.#change()
  }

  #giveBack(task: FolderTask): void {
    this.#waiting.unshift({ ...task, isAgain: true })
    this.#change()
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = newChange()
  }
}

function newChange() {
  let resolve!: () => void
  const promise = new Promise<void>((changed) => {
    resolve = changed
  })
  return { promise, resolve }
}
