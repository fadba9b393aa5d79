import { Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import type { Order, Report } from './client.js'

/** A thread that does one task of `client.ts`. */
export class Client {
  readonly worker: Worker
  readonly asked: Promise<true>
  readonly has: Promise<true>
  readonly done: Promise<NonNullable<Report['done']>>
  readonly ended: Promise<number>

  constructor(order: Order) {
    const [packet, transferList] = marshal(order)
    this.worker = new Worker(new URL('./client.js', import.meta.url), { workerData: packet, transferList })
    this.worker.on('error', () => {})
    this.asked = this.#reported('asked')
    this.has = this.#reported('has')
    this.done = this.#reported('done')
    this.ended = new Promise((resolve) => this.worker.on('exit', resolve))
  }

  #reported<K extends keyof Report>(key: K): Promise<NonNullable<Report[K]>> {
    return new Promise((resolve) => {
      this.worker.on('message', (report: Report) => {
        if (report[key] !== undefined) resolve(report[key])
      })
    })
  }
}

/** Cells for fences, as `Order` has them. */
export function newCells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(64))
}

/** Lets those at the gate go on. */
export function openGate(cells: Int32Array): void {
  Atomics.store(cells, 0, 1)
}

/** Resolves when something is so; turns the event loop meanwhile. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}
