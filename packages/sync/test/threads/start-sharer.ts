import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { isAlive, parkedAt } from '@flatshare/core/internal'
import type { SharerOrder, SharerReport } from './sharer.js'
import { turn } from './start.js'

/** A thread that does one task of `sharer.ts`. */
export class Sharer {
  readonly worker: Worker
  readonly id: Promise<number>
  readonly waiting: Promise<void>
  readonly done: Promise<NonNullable<SharerReport['done']>>
  readonly ended: Promise<number>

  constructor(order: SharerOrder) {
    const [workerData, transferList] = marshal(order)
    this.worker = new Worker(new URL('./sharer.js', import.meta.url), { workerData, transferList })
    this.worker.on('error', () => {})
    this.id = this.#reported('id')
    this.waiting = this.#reported('waiting').then(() => {})
    this.done = this.#reported('done')
    this.ended = new Promise((resolve) => this.worker.on('exit', resolve))
  }

  #reported<K extends keyof SharerReport>(key: K): Promise<NonNullable<SharerReport[K]>> {
    return new Promise((resolve) => {
      this.worker.on('message', (report: SharerReport) => {
        if (report[key] !== undefined) resolve(report[key])
      })
    })
  }

  /** Resolves when the thread is blocked. */
  async blocked(): Promise<void> {
    const id = await this.id
    while (parkedAt(id) === 0) await turn()
  }

  /** Ends the thread, and resolves when all threads can know it. */
  async kill(): Promise<void> {
    const id = await this.id
    await this.worker.terminate()
    while (isAlive(id)) await turn()
  }
}

/** Resolves when something holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn()
}
