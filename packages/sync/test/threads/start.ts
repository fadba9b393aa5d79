import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { parkedAt } from '@flatshare/core/internal'
import type { Order, Report } from './locker.js'

/** A thread that does one task of `locker.ts`. */
export class Locker {
  readonly worker: Worker
  readonly waiting: Promise<void>
  readonly done: Promise<NonNullable<Report['done']>>
  readonly id: Promise<number>
  readonly ended: Promise<number>

  constructor(order: Order) {
    const [packet, transferList] = marshal(order)
    this.worker = new Worker(new URL('./locker.js', import.meta.url), { workerData: packet, transferList })
    this.worker.on('error', () => {})
    this.id = this.#reported('id')
    this.waiting = this.#reported('waiting').then(() => {})
    this.done = this.#reported('done')
    // Not `once`, which rejects when the thread ends by an error.
    this.ended = new Promise((resolve) => this.worker.on('exit', resolve))
  }

  #reported<K extends keyof Report>(key: K): Promise<NonNullable<Report[K]>> {
    return new Promise((resolve) => {
      this.worker.on('message', (report: Report) => {
        if (report[key] !== undefined) resolve(report[key])
      })
    })
  }

  /** Resolves when the thread is blocked on a lock. */
  async blocked(): Promise<void> {
    const id = await this.id
    while (parkedAt(id) === 0) await turn()
  }
}

/** Cells for fences, as `Order` has them. */
export function newCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(16))
}

/** A turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Resolves when the cell has reached a value. */
export async function reached(cells: Int32Array, cell: number, value: number): Promise<void> {
  while (Atomics.load(cells, cell) < value) await turn()
}

/** Lets those at the gate go on. */
export function openGate(cells: Int32Array): void {
  Atomics.store(cells, 2, 1)
  Atomics.notify(cells, 2)
}
