import { type AdviseRequest, AdviseSource, ApartmentThreaded } from 'flatshare'

/** What the store tells those who asked to be advised. */
export interface StoreEvents {
  folderCreated: { name: string }
  batchFinished: { messages: number }
  /** Everything that was announced before has been heard. */
  closed: Record<string, never>
}

/**
 * Says what happens to the store. It lives on the thread that imports, for one thread must say things in one order and
 * each of them once; readers reach it through proxies. The mail itself doesn't come by here: it is in `MailIndex`.
 */
@ApartmentThreaded()
export class StoreAdvice {
  readonly #source = new AdviseSource<StoreEvents>({ events: ['folderCreated', 'batchFinished', 'closed'] })
  readonly #folders = new Set<string>()
  readonly #finished = new Set<number>()

  advise(...request: AdviseRequest<StoreEvents>) {
    return this.#source.advise(...request)
  }

  /** Hears that a share is in the indexes; once for each share, however often it is said. */
  finish(share: number, messages: number, folders: readonly string[]): void {
    if (this.#finished.has(share)) return
    this.#finished.add(share)
    for (const name of folders) {
      if (this.#folders.has(name)) continue
      this.#folders.add(name)
      this.#source.raise('folderCreated', { name })
    }
    this.#source.raise('batchFinished', { messages })
  }

  close(): void {
    this.#source.raise('closed', {})
  }
}
