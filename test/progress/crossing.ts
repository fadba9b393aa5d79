/** What an apartment of the progress tests serves: work that reports. */
import { ApartmentThreaded } from '@flatshare/apartment'
import { Progress } from '@flatshare/progress'

/** Copies, and answers how many it has done: all, or those before the cancel. */
export function copy(items: number, progress: Progress): number {
  let done = 0
  for (; done < items; done++) if (!progress.advance()) break
  return done
}

export async function copyFolders(folders: readonly number[], progress: Progress): Promise<number> {
  let done = 0
  for (const messages of folders) {
    done += copy(messages, progress.child({ items: 1, total: messages }))
    await new Promise((resolve) => setImmediate(resolve))
    if (progress.cancelled) break
  }
  return done
}

@ApartmentThreaded()
export class Importer {
  readonly progress: Progress
  constructor(progress: Progress) {
    if (!(progress instanceof Progress)) throw new TypeError('An import is given its progress.')
    this.progress = progress
  }
  /** The very one that it was made with. */
  isOwn(progress: Progress): boolean {
    return progress === this.progress
  }
  part(share: number): Progress {
    return this.progress.child({ share })
  }
  async untilAborted(): Promise<string> {
    const { signal } = this.progress
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      const stay = setInterval(() => {}, 1 << 30)
      signal.addEventListener('abort', () => {
        clearInterval(stay)
        resolve()
      })
    })
    return (signal.reason as Error).message
  }
}
