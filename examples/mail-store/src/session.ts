import { type FileHandle, open } from 'node:fs/promises'
import { FreeThreaded, PerThread, ThreadAware } from 'flatshare'
import { ContentsTable, type MessageList } from './contents-table.js'

/** Whatever has messages to look through. Objects of threads' own stand for it: one for each thread. */
export interface HasMessages {
  readonly messages: MessageList
}

/** What one thread has of the session: its own open files, its own tables, and how many messages it has read. */
export class Cursor {
  messages = 0
  readonly #files = new Map<string, Promise<FileHandle>>()
  readonly #tables = new Map<HasMessages, ContentsTable>()

  file(path: string): Promise<FileHandle> {
    let file = this.#files.get(path)
    if (!file) this.#files.set(path, (file = open(path)))
    return file
  }

  /** This thread's table of a folder, with a position of its own. It stays open until it is forgotten. */
  table(folder: HasMessages): ContentsTable {
    let table = this.#tables.get(folder)
    if (!table) this.#tables.set(folder, (table = new ContentsTable(folder.messages)))
    return table
  }

  forget(folder: HasMessages): void {
    this.#tables.delete(folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tables.clear()
    await Promise.all(Array.from(this.#files.values(), async (file) => (await file).close()))
  }
}

/** One session for all threads, with a cursor for each: they share the object and never the place in the file. */
@ThreadAware()
@FreeThreaded()
export class Session {
  @PerThread(() => new Cursor()) readonly cursor!: Cursor
}
