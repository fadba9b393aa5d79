/** A counter that lives on another thread, as comlink has it. */
import { parentPort } from 'node:worker_threads'
import { expose } from 'comlink'
// @ts-expect-error it has no types of its own
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'

export class Counter {
  total = 0

  add(amount: number): number {
    this.total += amount
    return this.total
  }
}

expose(new Counter(), nodeEndpoint(parentPort))
