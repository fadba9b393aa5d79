import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { parkedAt } from '@flatshare/core/internal'
import type { RwOrder, RwReport } from './rwlocker.js'
import { turn } from './start.js'

/** A thread that does one task of `rwlocker.ts`. */
export class RwLocker {
  readonly worker: Worker
  readonly id: Promise<number>
  readonly waiting: Promise<void>
  readonly done: Promise<NonNullable<RwReport['done']>>
  readonly ended: Promise<number>

  constructor(order: RwOrder) {
    const [packet, transferList] = marshal(order)
    this.worker = new Worker(new URL('./rwlocker.js', import.meta.url), { workerData: packet, transferList })
    this.id = this.#reported('id')
    this.waiting = this.#reported('waiting').then(() => {})
    this.done = this.#reported('done')
    this.ended = new Promise((resolve, reject) => {
      this.worker.on('error', reject)
      this.worker.on('exit', resolve)
    })
  }

  #reported<K extends keyof RwReport>(key: K): Promise<NonNullable<RwReport[K]>> {
    return new Promise((resolve) => {
      this.worker.on('message', (report: RwReport) => {
        if (report[key] !== undefined) resolve(report[key])
      })
    })
  }

  /** Resolves when the thread is blocked. */
  async blocked(): Promise<void> {
    const id = await this.id
    while (parkedAt(id) === 0) await turn()
  }
}

/** Cells for `Cell`. */
export function newRwCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(64))
}
