import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { parkedAt } from '@flatshare/core/internal'
import type { OnceOrder, OnceReport } from './once-runner.js'

/** A thread that does one task of `once-runner.ts`. */
export class Runner {
  readonly worker: Worker
  readonly waiting: Promise<void>
  readonly done: Promise<NonNullable<OnceReport['done']>>
  readonly id: Promise<number>
  readonly ended: Promise<number>

  constructor(order: OnceOrder) {
    const [workerData, transferList] = marshal(order)
    this.worker = new Worker(new URL('./once-runner.js', import.meta.url), { workerData, transferList })
    this.worker.on('error', () => {})
    this.id = this.#reported('id')
    this.waiting = this.#reported('waiting').then(() => {})
    this.done = this.#reported('done')
    this.ended = new Promise((resolve) => this.worker.on('exit', resolve))
  }

  #reported<K extends keyof OnceReport>(key: K): Promise<NonNullable<OnceReport[K]>> {
    return new Promise((resolve) => {
      this.worker.on('message', (report: OnceReport) => {
        if (report[key] !== undefined) resolve(report[key])
      })
    })
  }

  /** Resolves when the thread is blocked. */
  async blocked(): Promise<void> {
    const id = await this.id
    while (parkedAt(id) === 0) await new Promise(setImmediate)
  }
}
