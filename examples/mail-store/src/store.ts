import { type AdviseRequest, AdviseSource, ApartmentThreaded } from 'flatshare'
import { Folder } from './folder.js'
import { type IndexSummary, MailIndex } from './mail-index.js'
import { isFailure, type Outcome } from './message.js'

/** What the store tells those who asked to be advised. */
export interface StoreEvents {
  folderCreated: { name: string }
  batchFinished: { messages: number }
  /** Everything that was announced before has been heard. */
  closed: Record<string, never>
}

/**
 * The message store: folders and the indexes by text, on a thread of their own. Readers on other threads call it
 * through proxies; it runs one call at a time and needs no lock.
 */
@ApartmentThreaded()
export class MessageStore {
  readonly #source = new AdviseSource<StoreEvents>({ events: ['folderCreated', 'batchFinished', 'closed'] })
  readonly #index = new MailIndex()
  readonly #folders = new Map<string, Folder>()
  readonly #delivered = new Set<number>()

  advise(...request: AdviseRequest<StoreEvents>) {
    return this.#source.advise(...request)
  }

  /** Takes a share of the archive, once: a share that was read again after its reader died changes nothing. */
  deliver(share: number, outcomes: readonly Outcome[]): void {
    if (this.#delivered.has(share)) return
    this.#delivered.add(share)
    this.#index.add(outcomes)
    for (const outcome of outcomes) if (!isFailure(outcome)) this.#folder(outcome.day).add(outcome)
    this.#source.raise('batchFinished', { messages: outcomes.length })
  }

  #folder(day: string | null): Folder {
    const name = day?.slice(0, 4) ?? 'undated'
    let folder = this.#folders.get(name)
    if (!folder) {
      this.#folders.set(name, (folder = new Folder(name)))
      this.#source.raise('folderCreated', { name })
    }
    return folder
  }

  folderNames(): string[] {
    return [...this.#folders.keys()].sort()
  }

  openFolder(name: string): Folder {
    const folder = this.#folders.get(name)
    if (!folder) throw new RangeError(`There is no folder ${name}.`)
    return folder
  }

  summarize(): IndexSummary {
    return this.#index.summarize()
  }

  close(): void {
    this.#source.raise('closed', {})
  }
}
