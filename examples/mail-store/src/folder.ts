import { ApartmentThreaded } from 'flatshare'
import { ContentsTable } from './contents-table.js'
import type { MessageRecord } from './message.js'

/** Messages of one year. It lives with the store, on its thread. */
@ApartmentThreaded()
export class Folder {
  readonly #messages: MessageRecord[] = []
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  get name(): string {
    return this.#name
  }

  count(): number {
    return this.#messages.length
  }

  add(message: MessageRecord): void {
    this.#messages.push(message)
  }

  /** A table of its own for each who asks, so that nobody sorts under another's feet. */
  contentsTable(): ContentsTable {
    return new ContentsTable(this.#messages)
  }
}
