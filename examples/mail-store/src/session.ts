import { type FileHandle, open } from 'node:fs/promises'
import { FreeThreaded, PerThread, ThreadAware } from 'flatshare'

/** Where one thread is in the archive: its own open file, and what it has read. */
export class Cursor {
  messages = 0
  #file: Promise<FileHandle> | undefined

  file(path: string): Promise<FileHandle> {
    return (this.#file ??= open(path))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#file)?.close()
  }
}

/** One session for all threads, with a cursor for each: they share the object and never the place in the file. */
@ThreadAware()
@FreeThreaded()
export class Session {
  @PerThread(() => new Cursor()) readonly cursor!: Cursor
}
