import { Worker } from 'node:worker_threads'
import { onThreadExit } from '@flatshare/core'
import type { LockManagerSnapshot, LockRequestOptions } from '@flatshare/sync'
import type { Command, Report } from './client.js'

let lastId = 0

/** A thread that requests locks as it is told. */
export class Client {
  readonly worker = new Worker(new URL('./client.js', import.meta.url))
  readonly #reports: Report[] = []
  readonly #listeners = new Set<() => void>()
  readonly #gone: Promise<void>
  #threadId = 0
  #exited!: () => void

  constructor() {
    this.worker.on('error', () => {})
    this.worker.on('message', (report: Report) => {
      this.#reports.push(report)
      for (const listener of [...this.#listeners]) listener()
    })
    // Not before every thread that lives can know of it.
    this.#gone = new Promise((resolve) => (this.#exited = resolve))
    onThreadExit(({ id }) => id === this.#threadId && this.#exited())
  }

  static async start(): Promise<Client> {
    const client = new Client()
    const { value } = await client.#reported(0, 'done')
    client.#threadId = value as number
    return client
  }

  get clientId(): string {
    return String(this.#threadId)
  }

  #reported<K extends keyof Report>(id: number, key: K): Promise<NonNullable<Report[K]>> {
    return new Promise((resolve) => {
      const look = () => {
        const report = this.#reports.find((report) => report.id === id && report[key] !== undefined)
        if (!report) return
        this.#listeners.delete(look)
        resolve(report[key]!)
      }
      this.#listeners.add(look)
      look()
    })
  }

  tell(command: Command): void {
    this.worker.postMessage(command)
  }

  /** Resolves when the request is made. */
  async request(name: string, options: LockRequestOptions = {}, cells?: Int32Array) {
    const id = ++lastId
    this.tell({ do: 'request', id, name, options, ...(cells && { cells }) })
    const granted = this.#reported(id, 'granted')
    const done = this.#reported(id, 'done')
    await this.#reported(id, 'requested')
    return {
      id,
      granted,
      done,
      release: () => this.tell({ do: 'release', id }),
      abort: () => this.tell({ do: 'abort', id }),
    }
  }

  /** Holds the lock. */
  async hold(name: string, options: LockRequestOptions = {}) {
    const request = await this.request(name, options)
    await request.granted
    return request
  }

  query(): Promise<LockManagerSnapshot> {
    const id = ++lastId
    this.tell({ do: 'query', id })
    return this.#reported(id, 'snapshot')
  }

  /** Counts up a cell for each name, under its lock. */
  count(names: string[], cells: Int32Array, rounds: number) {
    const id = ++lastId
    this.tell({ do: 'count', id, names, cells, rounds })
    return this.#reported(id, 'done')
  }

  /** Resolves when this thread has heard of the other's end. */
  async end(how: 'terminate' | 'exit' | 'throw' = 'terminate'): Promise<void> {
    if (how === 'terminate') await this.worker.terminate()
    else this.tell({ do: how })
    await this.#gone
  }
}
