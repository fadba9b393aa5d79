import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { parkedAt } from '@flatshare/core/internal'
import type { RendezvousOrder, RendezvousReport, RendezvousResult } from './rendezvous.js'
import { turn } from './start.js'

/** A thread that does one task of `rendezvous.ts`. */
export class Party {
  readonly worker: Worker
  readonly id: Promise<number>
  /** Resolves when it waits without blocking. */
  readonly waiting: Promise<true>
  /** Resolves when it has done its task; rejects when its thread ends before by an error. */
  readonly done: Promise<RendezvousResult>
  readonly ended: Promise<void>

  constructor(order: RendezvousOrder) {
    const [packet, transferList] = marshal(order)
    this.worker = new Worker(new URL('./rendezvous.js', import.meta.url), { workerData: packet, transferList })
    this.id = this.#reported('id')
    this.waiting = this.#reported('waiting')
    this.done = Promise.race([this.#reported('done'), this.#failed()])
    // Who is to die is not asked.
    this.done.catch(() => {})
    this.ended = new Promise((resolve) => this.worker.on('exit', () => resolve()))
  }

  #reported<K extends keyof RendezvousReport>(key: K): Promise<NonNullable<RendezvousReport[K]>> {
    return new Promise((resolve) => {
      this.worker.on('message', (report: RendezvousReport) => {
        if (report[key] !== undefined) resolve(report[key])
      })
    })
  }

  #failed(): Promise<never> {
    return new Promise((_, reject) => this.worker.on('error', reject))
  }

  /** Resolves when the thread is blocked. */
  async blocked(): Promise<void> {
    const id = await this.id
    while (parkedAt(id) === 0) await turn()
  }
}
