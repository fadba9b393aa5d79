/** A module whose exports are served: threads that raise and listen at sources of others. */
import '@flatshare/advise-sink'
import type { AdviseConnection, AdviseSource, Notification } from '@flatshare/advise-sink'
import { ApartmentThreaded } from '@flatshare/apartment'

export interface Numbers {
  number: { readonly thread: number; readonly i: number }
}

@ApartmentThreaded()
export class Raiser {
  readonly #source: AdviseSource<Numbers>
  readonly #next = new Map<number, number>()
  #heard = 0
  #sequence = 0
  #wrong: string | undefined
  #waiting: { count: number; resolve(): void } | undefined
  #connection: AdviseConnection | undefined

  constructor(source: AdviseSource<Numbers>) {
    this.#source = source
  }

  /** A sink that finds out whether each comes once, and in order. */
  sink(): (batch: readonly Notification<Numbers>[]) => void {
    return (batch) => this.#hear(batch)
  }

  listen(): void {
    this.#connection = this.#source.advise('number', (batch) => this.#hear(batch))
  }

  async stop(): Promise<void> {
    await this.#connection!.unadvise()
  }

  #hear(batch: readonly Notification<Numbers>[]): void {
    for (const { payload, sequence } of batch) {
      const { thread, i } = payload
      if ((this.#next.get(thread) ?? 0) !== i || sequence <= this.#sequence) {
        this.#wrong ??= `number ${i} of ${thread}, event ${sequence} after ${this.#sequence}`
      }
      this.#next.set(thread, i + 1)
      this.#sequence = sequence
    }
    this.#heard += batch.length
    if (this.#waiting && this.#heard >= this.#waiting.count) this.#waiting.resolve()
  }

  /** Resolves, once it has heard of so many, with what was wrong, and with how many it has heard of. */
  async has(count: number): Promise<[wrong: string | undefined, heard: number]> {
    if (this.#heard < count) await new Promise<void>((resolve) => (this.#waiting = { count, resolve }))
    return [this.#wrong, this.#heard]
  }

  /** Raises so many, and lets calls in between now and then. */
  async raise(thread: number, from: number, to: number): Promise<void> {
    for (let i = from; i < to; i++) {
      this.#source.raise('number', { thread, i })
      if (i % 1000 === 999) await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
