import { Apartment } from '@flatshare/apartment'
import type { StoreNotification } from './threads/store.js'

export const openStores = (name: string) =>
  Apartment.open<typeof import('./threads/store.js')>(new URL('./threads/store.js', import.meta.url), { name })

/** A promise and how to settle it. */
export function gate<T = void>(): { open(value: T): void; opened: Promise<T> } {
  let open!: (value: T) => void
  const opened = new Promise<T>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** Collects what it is notified of, and says when it has so many. */
export class Collector {
  readonly heard: StoreNotification[] = []
  readonly batches: Array<readonly StoreNotification[]> = []
  #waiting: Array<{ count: number; resolve(): void }> = []

  onNotify(batch: readonly StoreNotification[]): void {
    this.batches.push(batch)
    this.heard.push(...batch)
    for (const { count, resolve } of this.#waiting) if (this.heard.length >= count) resolve()
  }

  get payloads(): unknown[] {
    return this.heard.map(({ payload }) => payload)
  }

  async has(count: number): Promise<this> {
    if (this.heard.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
    return this
  }
}
